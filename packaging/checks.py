"""What `./test` checks once everything is set up: lint, format, types, tests, in this order.

All of them run whatever fails. pytest comes last, so that its closing line closes the output.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tell import say

FAST = "--fast"
PACKAGING = "--packaging"  # builds this system's installers and has the frozen app caption
FROZEN = {"darwin": "Voxline.app/Contents/MacOS/voxline", "win32": "voxline/voxline.exe"}
# One thread a library: the machine's cores are shared by app, worker and sound server.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "QT_QPA_PLATFORM": "offscreen",
}


def commands(arguments: Sequence[str]) -> list[list[str]]:
    """The modules to run with their arguments. `--fast` keeps pytest to the core.

    Without arguments all tests run, side by side: tests/conftest.py says what may run
    beside what.
    """
    rest = [argument for argument in arguments if argument != FAST]
    if len(rest) < len(arguments):
        rest = ["tests/core", *rest]
    elif not rest:
        rest = ["-n", str(_lanes()), "--dist", "loadscope", "--no-loadscope-reorder"]
    return [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", *rest]]


def package(root: Path, python: Path) -> int:
    """Builds what can be built here, looks at each installer, checks that the frozen app captions.

    All of them run whatever fails, but for an app that could not be frozen. Returns 0, or the first
    status that was not.
    """
    program = root / "build" / "frozen" / FROZEN.get(sys.platform, "voxline/voxline")
    program.unlink(missing_ok=True)  # one of an earlier build proves nothing
    failed: dict[str, int] = {}
    for name, arguments in (("build.py", ["all"]), ("proofs.py", []), ("smoke.py", [str(program)])):
        if failed and not program.is_file():
            break
        say(f"{name} …")
        command = [str(python), str(root / "packaging" / name), *arguments]
        status = subprocess.run(command, cwd=root).returncode
        if status:
            failed[name] = status
    say(f"failed: {', '.join(failed)}" if failed else "the installers are in dist/")
    return next(iter(failed.values()), 0)


def _lanes() -> int:
    """One lane of tests a core; more than four would starve the screen's of the real time."""
    return max(2, min(4, os.cpu_count() or 1))


def run(root: Path, python: Path, arguments: Sequence[str]) -> int:
    """Runs all checks in the checkout. Returns 0, or the first status that was not."""
    environment = ENVIRONMENT | os.environ
    failed: dict[str, int] = {}
    for module, *rest in commands(arguments):
        name = " ".join([module, *rest[:1]]) if module == "ruff" else module
        if failed and module == "pytest":
            say(f"failed so far: {', '.join(failed)}")
        say(f"{name} …")
        command = [str(python), "-m", module, *rest]
        status = subprocess.run(command, cwd=root, env=environment).returncode
        if status:
            failed[name] = status
    return next(iter(failed.values()), 0)
