"""Which tests have a second try, and how many a run."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_only_what_has_programs_of_others_is_tried_twice_and_twice_a_run() -> None:
    of_others, ours = "tests/audio/test_doors.py", "tests/audio/test_mixdown.py"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "flaky"]
    done = subprocess.run(
        [*command, of_others, ours], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = {line.split("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert files == {of_others}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    options = project["tool"]["pytest"]["ini_options"]["addopts"].split()
    assert {"--max-suite-reruns=2", "--rerun-show-tracebacks"} <= set(options)
