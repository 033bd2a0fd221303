"""What is wrong with an installer is noticed, and what cannot be looked at here is told."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import build
import proofs
import pytest
from product import version


def told_by_main(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    monkeypatch.setattr(proofs, "ROOT", tmp_path)
    status = proofs.main()
    return status, capsys.readouterr().err.splitlines()


def test_what_was_not_built_is_told_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = told_by_main(tmp_path, monkeypatch, capsys)
    assert status == 0
    assert [line.endswith(": not built here") for line in told] == [True] * len(proofs.PROOFS)


def test_a_missing_tool_is_told_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / f"Voxline-{version()}-x86_64.AppImage.squashfs").touch()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    status, told = told_by_main(tmp_path, monkeypatch, capsys)
    assert status == 0
    assert "voxline set-up: squashfs: not looked at. On Debian: apt install squashfs-tools" in told


def test_a_broken_archive_and_a_wrong_checksum_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    archive = dist / f"Voxline-{version()}-windows-portable.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("Voxline/voxline.exe", b"MZ" * 100)
    build.write_checksums(dist)
    assert told_by_main(tmp_path, monkeypatch, capsys)[0] == 0
    archive.write_bytes(archive.read_bytes().replace(b"MZMZ", b"MZNZ", 1))
    status, told = told_by_main(tmp_path, monkeypatch, capsys)
    assert status == 1
    assert any("portable zip: what is broken: Voxline/voxline.exe" in line for line in told)
    assert any(f"checksums: {archive.name}: " in line for line in told)


def test_a_start_that_runs_what_nothing_needs_is_noticed(tmp_path: Path) -> None:
    program = tmp_path / "voxline"
    program.write_bytes(b"\x7fELF\0s\0pyi_rth_cryptography_openssl\0s\0__main__\0")
    proofs.lean_start(program)
    program.write_bytes(program.read_bytes() + b"s\0pyi_rth_pyside6\0")
    with pytest.raises(proofs.Unfit, match="each start runs pyi_rth_pyside6"):
        proofs.lean_start(program)


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="no desktop-file-utils")
def test_a_desktop_entry_with_a_fault_fails(tmp_path: Path) -> None:
    entry = tmp_path / "voxline.desktop"
    entry.write_text("[Desktop Entry]\nType=Application\nName=Voxline\nTerminal=perhaps\n")
    with pytest.raises(proofs.Unfit, match="Terminal"):
        proofs.desktop_entry(entry)


def package(tmp_path: Path, place: str, script: str) -> Path:
    tree = tmp_path / "tree"
    program = tree / place
    program.parent.mkdir(parents=True)
    program.write_text(script)
    program.chmod(0o755)
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        f"Package: voxline\nVersion: {version()}-1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: captions\n"
    )
    made = tmp_path / "voxline.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(made)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg")
@pytest.mark.parametrize(
    ("place", "script", "problem"),
    [
        ("usr/bin/voxline", f"#!/bin/sh\necho voxline {version()}\n", None),
        ("usr/bin/voxline", "#!/bin/sh\necho voxline 0.0.0\n", "the version it tells"),
        ("usr/bin/voxline", "#!/bin/sh\nexit 3\n", "voxline says"),
        ("opt/voxline", "#!/bin/sh\n", r"outside /usr: \['./opt/'"),
    ],
)
def test_a_package_runs_where_it_lies_and_keeps_to_usr(
    tmp_path: Path, place: str, script: str, problem: str | None
) -> None:
    made = package(tmp_path, place, script)
    if problem is None:
        proofs.debian_package(made)
        return
    with pytest.raises(proofs.Unfit, match=problem):
        proofs.debian_package(made)
