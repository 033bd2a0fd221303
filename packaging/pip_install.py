"""Runs pip in the checkout's environment and says in one sentence why it failed, if it did.

Which packages and why is bootstrap's business.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tell import passing, say

HASHED = ("--require-hashes", "--only-binary", ":all:")
_TAIL_LINES = 12
_REASONS = (
    (
        r"NewConnectionError|NameResolutionError|name resolution|Network is unreachable"
        r"|getaddrinfo failed|ConnectTimeout|ReadTimeout|ProxyError|Connection refused",
        "The package index could not be reached. Check the network connection (or the proxy, or "
        "pip's configuration) and run the command again: what is installed already stays.",
    ),
    (
        r"No space left on device|Disk quota exceeded",
        "There is no space left. Make some room and run the command again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A downloaded package is not the one this version was made with, so it was not "
        "installed. Run the command again; if this stays, look at what pip is configured to use.",
    ),
    (
        r"No matching distribution|Could not find a version",
        "A package does not exist in a form that this system and this Python can use. "
        "Python 3.11 to 3.13 on 64-bit Linux, Windows or macOS is known to work.",
    ),
)


def install(python: Path, arguments: Sequence[str]) -> str | None:
    """`pip install ARGUMENTS` with the environment's `python`. Returns what went wrong, or None."""
    _drop_half_installed(python)
    command = [str(python), "-I", "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PIP_USER": "0"},  # a habit of the user's that fails in environments
        text=True,
        errors="replace",
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line.rstrip())
            if re.match(r"\s*(Collecting|Downloading|Installing)", line):
                passing(line.strip())
    passing("")
    return _problem(lines) if pip.returncode else None


def each_tolerantly(python: Path, requirements: Path) -> bool:
    """Installs each requirement of a hashed file alone; one that fails is told and left out.

    Returns whether all are there.
    """
    complete = True
    for name, block in split(requirements.read_text(encoding="utf-8")):
        with tempfile.TemporaryDirectory() as folder:
            alone = Path(folder, "requirement.txt")
            alone.write_text(block, encoding="utf-8")
            problem = install(python, ["--no-deps", "--retries=2", *HASHED, "-r", str(alone)])
        if problem:
            complete = False
            say(f"{name} is left out for now. {problem}")
    return complete


def split(text: str) -> Iterator[tuple[str, str]]:
    """The name and the lines of each requirement in a hashed requirement file."""
    for block in re.findall(r"^[^\s#].*\n(?:[ \t].*\n?)*", text, re.MULTILINE):
        yield re.split(r"[=\s;]", block, maxsplit=1)[0], block


def _problem(lines: Sequence[str]) -> str:
    output = "\n".join(lines)
    for pattern, sentence in _REASONS:
        if re.search(pattern, output):
            return sentence
    return "pip failed; its last words were:\n" + "\n".join(lines[-_TAIL_LINES:])


def _drop_half_installed(python: Path) -> None:
    """Forgets packages whose installation was cut off; pip would take them for complete.

    pip and uv write INSTALLER after a package's files.
    """
    for record in python.parents[1].glob("[lL]ib/**/site-packages/*.dist-info"):
        if not (record / "INSTALLER").exists():
            shutil.rmtree(record)
