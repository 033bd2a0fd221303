"""Wheels and tarballs become folders, and nothing is written anywhere else."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from app.packs.unpack import ArchiveError, Note, unpack_tarball, unpack_wheel
from tests.support.package_index import make_wheel, sha256

NAME = "it-1-py3-none-any.whl"


def wheel(folder: Path, files: dict[str, bytes], programs: tuple[str, ...] = ()) -> Note:
    (folder / NAME).write_bytes(make_wheel(NAME, files, programs))
    note: Note = {}
    unpack_wheel(folder / NAME, folder / "site", folder, note, lambda count: None)
    return note


def test_what_belongs_into_site_packages_is_there_and_noted(tmp_path: Path) -> None:
    files = {
        "it/__init__.py": b"1",
        "it/bin/ptxas": b"#!",
        "it-1.data/purelib/more.py": b"2",
        "it-1.data/data/share/man/it.1": b"3",
        "it-1.data/scripts/it": b"4",
        "torch/include/ATen/a_very_long_name.h": b"5",
        "torch/includes.py": b"6",
    }
    note = wheel(tmp_path, files, ("it/bin/ptxas",))
    there = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} - {
        NAME
    }
    assert there == {
        "site/it/__init__.py", "site/it/bin/ptxas", "site/more.py", "site/torch/includes.py",
        "site/it-1.dist-info/METADATA",
    }  # fmt: skip
    assert set(note) == there
    assert note["site/more.py"] == sha256(b"2")
    assert os.access(tmp_path / "site/it/bin/ptxas", os.X_OK)
    assert not os.access(tmp_path / "site/more.py", os.X_OK)


@pytest.mark.parametrize(
    "name",
    ["../out.py", "/etc/out.py", "it/../../out.py", "c:/out.py", "it-1.data/purelib/../../x"],
)
def test_a_wheel_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leads elsewhere"):
        wheel(tmp_path, {name: b"x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME]


def test_what_is_no_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ArchiveError):
        unpack_wheel(tmp_path / NAME, tmp_path, tmp_path, {}, lambda count: None)


def tarball(folder: Path, *entries: tuple[str, bytes | str, int]) -> Path:
    """Entries: name, content (a link's end if it is text), mode."""
    path = folder / "python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            if isinstance(content, str):
                entry.type = tarfile.LNKTYPE if mode == 1 else tarfile.SYMTYPE
                entry.linkname = content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return path


def test_a_pythons_tarball_is_as_its_makers_laid_it(tmp_path: Path) -> None:
    path = tarball(
        tmp_path,
        ("python/bin/python3", "python3.12", 0o777),
        ("python/bin/python3.12", b"\x7fELF", 0o755),
        ("python/bin/same", "python/bin/python3.12", 1),
        ("python/lib/python3.12/os.py", b"import os", 0o644),
    )
    note: Note = {}
    unpack_tarball(path, tmp_path / "env", tmp_path, note, lambda count: None)
    assert (tmp_path / "env/bin/python3").readlink() == Path("python3.12")
    assert (tmp_path / "env/bin/python3").read_bytes() == b"\x7fELF"
    assert (tmp_path / "env/bin/same").read_bytes() == b"\x7fELF"
    assert os.access(tmp_path / "env/bin/python3.12", os.X_OK)
    assert set(note) == {"env/bin/python3.12", "env/lib/python3.12/os.py"}


@pytest.mark.parametrize(
    "entry",
    [
        ("python/../../out", b"x", 0o644),
        ("python/link", "../../out", 0o777),
        ("python/link", "/etc/passwd", 0o777),
        ("python//etc/out", b"x", 0o644),
    ],
)
def test_a_tarball_that_leads_out_is_refused(
    tmp_path: Path, entry: tuple[str, bytes | str, int]
) -> None:
    path = tarball(tmp_path, entry)
    with pytest.raises(ArchiveError):
        unpack_tarball(path, tmp_path / "a" / "env", tmp_path, {}, lambda count: None)
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "a").rglob("*link*"))


def test_nothing_is_written_through_a_link_of_the_archive(tmp_path: Path) -> None:
    path = tarball(
        tmp_path, ("python/lib", str(tmp_path), 0o777), ("python/lib/out.py", b"x", 0o644)
    )
    with pytest.raises(ArchiveError):
        unpack_tarball(path, tmp_path / "env", tmp_path, {}, lambda count: None)
    assert not (tmp_path / "out.py").exists()
