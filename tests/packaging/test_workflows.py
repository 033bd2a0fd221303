"""The workflows are what the runner expects, as far as that can be known without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import build
import pytest

from tests.packaging.conftest import CHECKOUT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
# of a workflow, a job, a step: what GitHub's documentation names
TOP = {"name", "on", "permissions", "concurrency", "env", "jobs", "defaults", "run-name"}
JOB = {
    "name", "permissions", "needs", "if", "runs-on", "environment", "concurrency", "outputs",
    "env", "defaults", "steps", "timeout-minutes", "strategy", "continue-on-error", "container",
    "services", "uses", "with", "secrets",
}  # fmt: skip
STEP = {
    "id", "if", "name", "uses", "run", "working-directory", "shell", "with", "env",
    "continue-on-error", "timeout-minutes",
}  # fmt: skip
CONTEXTS = {
    "github",
    "env",
    "vars",
    "job",
    "steps",
    "runner",
    "secrets",
    "strategy",
    "matrix",
    "needs",
}
FUNCTIONS = {"startsWith", "contains", "format", "always", "success", "failure", "hashFiles"}


def read(path: Path) -> dict[str, Any]:
    data: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    if True in data:  # to YAML 1.1 "on" is a truth
        data["on"] = data.pop(True)
    return data


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def test_no_key_is_unknown(workflow: dict[str, Any]) -> None:
    assert set(workflow) <= TOP
    for job in workflow["jobs"].values():
        assert set(job) <= JOB
        assert "runs-on" in job
    for step in steps(workflow):
        assert set(step) <= STEP
        assert len({"run", "uses"} & set(step)) == 1


def test_actions_have_a_version_and_nothing_may_write_but_the_draft(
    workflow: dict[str, Any],
) -> None:
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
    assert workflow["permissions"] == {"contents": "read"}
    writing = [name for name, job in workflow["jobs"].items() if "permissions" in job]
    assert writing in ([], ["draft"])


def test_expressions_name_what_there_is(workflow: dict[str, Any]) -> None:
    matrix = {
        key
        for job in workflow["jobs"].values()
        for entry in job.get("strategy", {}).get("matrix", {}).get("include", [])
        for key in entry
    }
    text = yaml.safe_dump(workflow)
    conditions = [str(step["if"]) for step in steps(workflow) if "if" in step]
    for expression in [*re.findall(r"\$\{\{(.*?)\}\}", text), *conditions]:
        bare = re.sub(r"'[^']*'", "", expression)
        for name in re.findall(r"[A-Za-z_][\w.-]*", bare):
            head, _, rest = name.partition(".")
            assert head in CONTEXTS | FUNCTIONS, expression
            if head == "matrix":
                assert rest in matrix, expression


def test_needed_jobs_exist(workflow: dict[str, Any]) -> None:
    for job in workflow["jobs"].values():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"])


def test_the_release_builds_what_there_is_and_checks_each_app() -> None:
    release = read(CHECKOUT / ".github" / "workflows" / "release.yml")
    job = release["jobs"]["build"]
    entries = job["strategy"]["matrix"]["include"]
    assert {name for entry in entries for name in entry["installers"].split()} == set(build.BUILDS)
    systems = {"ubuntu": "linux", "windows": "win32", "macos": "darwin"}
    for entry in entries:
        system = systems[entry["os"].split("-")[0]]
        for name in entry["installers"].split():
            assert system in build.BUILDS[name][1]
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "packaging/smoke.py ${{ matrix.program }}" in commands
    for requirements in ("app", "weights", "packaging"):
        assert f"packaging/requirements/{requirements}.txt" in commands
    draft = "\n".join(step.get("run", "") for step in release["jobs"]["draft"]["steps"])
    assert "--draft" in draft
    assert "sha256sum" in draft


def test_scripts_of_the_workflows_are_there() -> None:
    for path in WORKFLOWS:
        for step in steps(read(path)):
            for script in re.findall(r"packaging/[\w/]+\.(?:py|txt|sh)", step.get("run", "")):
                assert (CHECKOUT / script).is_file(), script
