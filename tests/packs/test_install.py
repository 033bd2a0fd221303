"""A pack comes, is tried, takes its place in one step, is checked, renewed and removed; and at
whatever moment that ends, what was there before is used on."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from app.models.download import Progress
from app.packs import fetching, install, kept, python, sources, trial
from app.packs.pins import File, Python
from app.packs.sources import of_folder
from app.packs.trial import Outcome
from app.worker import messages, packs
from model_backends.downloads.fetch import Stop, StoppedError
from model_backends.downloads.told import DownloadError
from tests.packs.conftest import OLD_PINS, PINS, REST, TORCH, WHEELS, pins_of, plan
from tests.support.package_index import Fault, Index, sha256

ENGINE = "voxtral-torch"


def quiet(progress: Progress) -> None:
    """Nobody looks."""


def got(intended: install.Plan | None = None) -> Path:
    return install.install(intended or plan(), quiet, Stop())


def found() -> list[str]:
    """The packs that workers could be started with."""
    return [each.name for each in packs.look(packs.folder()) if isinstance(each, packs.Pack)]


def files_under(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def failure(intended: install.Plan | None = None) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        got(intended)
    return caught.value


def test_a_pack_comes_and_is_found(index: Index, tried: list[Path]) -> None:
    seen: list[Progress] = []
    place = install.install(plan(), seen.append, Stop())
    assert found() == [place.name]
    (pack,) = packs.look(packs.folder())
    assert isinstance(pack, packs.Pack)
    assert pack.interpreter == place / "env" / "bin" / "python"
    assert (pack.packages / "torch/__init__.py").read_bytes().startswith(b"new")
    assert os.access(pack.packages / "torch/bin/ptx", os.X_OK)
    assert tried == [packs.folder() / kept.NEW / "env/bin/python"], "tried before it has a name"
    assert files_under(packs.folder()) == [".lock", place.name], "nothing is left beside it"
    doings = [progress.doing for progress in seen]
    assert doings[0] == "downloading"
    assert doings[-1] == "trying"
    assert max(p.done for p in seen if p.doing == "downloading") <= plan().bytes


def test_nobody_gets_the_model_hubs_token(
    index: Index, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    got()
    assert index.headers
    assert not [each for each in index.headers if "authorization" in each]


def test_where_no_python_suits_the_pack_brings_its_own(
    index: Index, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a mirror of them; its tarball is checked and unpacked as a wheel is."""
    archive = python_tarball(("bin/python3", "python3.99"), ("bin/python3.99", b"#!/bin/sh\n"),
                             ("lib/python3.99/site-packages/README.txt", b""))  # fmt: skip
    name = "cpython-3.99.1+20261021-here-install_only_stripped.tar.gz"
    index.files[f"20261021/{name}"] = archive
    monkeypatch.setenv(fetching.MIRROR, index.url.replace("/simple", "/files"))
    monkeypatch.setattr(python, "find", lambda versions: None)
    pinned = replace(pins_of(TORCH, *REST, version="3.99"), pythons=(
        Python(python.this_system(), "3.99.1", "20261021", File(name, 0, sha256(archive), 0)),
    ))  # fmt: skip
    intended = install.plan("cpu", known=pinned)
    assert (intended.here, intended.python) == (None, pinned.pythons[0])
    place = got(intended)
    (pack,) = packs.look(packs.folder())
    assert isinstance(pack, packs.Pack)
    assert pack.interpreter == place / "env/bin/python3"
    assert pack.packages == place / "env/lib/python3.99/site-packages"
    assert kept.verify(place) == []


def python_tarball(*entries: tuple[str, bytes | str]) -> bytes:
    """Laid out as python-build-standalone's; text is where a link leads."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(f"python/{name}")
            entry.mode = 0o755
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_its_python_runs_from_where_it_was_renamed_to(index: Index, tried: list[Path]) -> None:
    interpreter = got() / "env" / "bin" / "python"
    code = "import sys, torch, typing_extensions; print(torch.new, sys.prefix)"
    done = subprocess.run(
        [interpreter, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", str(interpreter.parents[1])]


def test_what_broke_off_goes_on_where_it_stopped(index: Index, tried: list[Path]) -> None:
    index.faults.extend([Fault(), *[Fault(cut_after=50)] * 9])
    with pytest.raises(StoppedError):
        stop = Stop()
        install.install(plan(), lambda p: stop.ask() if p.done > 100 else None, stop)
    assert found() == []
    begun = install.begun(plan())
    assert begun > 0
    index.asked.clear()
    index.faults.clear()
    got()
    assert any(each.startswith(f"/files/{TORCH} bytes=") for each in index.asked)


def test_wrong_bytes_are_refused_and_deleted(index: Index, tried: list[Path]) -> None:
    index.files[TORCH] = WHEELS[TORCH][:-1] + b"!"
    assert failure().code == "wrong-bytes"
    assert tried == []
    assert found() == []
    assert install.begun(plan()) == 0
    index.files[TORCH] = WHEELS[TORCH]
    got()


def test_a_folder_of_wheels_needs_no_network(
    index: Index, tried: list[Path], tmp_path: Path
) -> None:
    for name, content in WHEELS.items():
        (tmp_path / name).write_bytes(content)
    install.install(plan(), quiet, Stop(), of_folder(tmp_path))
    assert len(found()) == 1
    assert index.asked == []


def test_a_wrong_wheel_in_a_folder_is_told(index: Index, tried: list[Path], tmp_path: Path) -> None:
    for name in REST:
        (tmp_path / name).write_bytes(WHEELS[name])
    (tmp_path / TORCH).write_bytes(b"another")
    with pytest.raises(DownloadError) as caught:
        install.install(plan(), quiet, Stop(), of_folder(tmp_path))
    assert caught.value.code == "wrong-bytes"
    assert str(tmp_path) in caught.value.message
    assert found() == []


def test_no_network_is_told_and_changes_nothing(
    index: Index, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = got(plan(OLD_PINS))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr(sources, "PYTORCH", "")
    assert failure().code in ("unreachable", "refused")
    assert found() == [before.name]


def test_a_full_disk_is_told_before_anything_is_fetched(
    index: Index, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=200_000))
    error = failure()
    assert error.code == "no-space"
    assert "free" in error.message
    assert "VOXLINE_DATA" in error.hint
    assert index.asked == []


def test_a_disk_that_fills_up_while_it_is_unpacked(
    index: Index, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = got(plan(OLD_PINS))

    def full(self: object, count: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(install._Installation, "_wrote", full)
    assert failure().code == "no-space"
    assert found() == [before.name]
    assert kept.NEW not in files_under(packs.folder())
    assert install.begun(plan()) > 0, "what came need not come again"


def test_one_that_does_not_work_here_is_never_used(
    index: Index, monkeypatch: pytest.MonkeyPatch, tried: list[Path]
) -> None:
    before = got(plan(OLD_PINS))
    monkeypatch.setattr(trial, "run", lambda *_: Outcome("ImportError: libcudart.so.13"))
    error = failure()
    assert error.code == "trial"
    assert "libcudart.so.13" in error.message
    monkeypatch.setattr(trial, "run", lambda *_: Outcome("driver too old", no_card=True))
    assert "580 or newer" in failure().hint
    assert found() == [before.name]
    assert index.asked.count(f"/files/{TORCH}") == 1, "it came once"


def test_killed_in_the_middle_nothing_is_used_and_the_next_goes_on(
    index: Index, tried: list[Path]
) -> None:
    """SIGKILL while it is tried: the moment when all of it is there, but for its name."""
    before = got(plan(OLD_PINS))
    code = (
        "import os, signal\n"
        "from app.packs import install, trial\n"
        "from model_backends.downloads.fetch import Stop\n"
        "from tests.packs.conftest import plan\n"
        "install.MARGIN = 0\n"
        "trial.run = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "install.install(plan(), lambda progress: None, Stop())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL
    assert kept.NEW in files_under(packs.folder()), "it had been unpacked"
    assert found() == [before.name]
    index.asked.clear()
    after = got()
    assert found() == [after.name]
    assert not [each for each in index.asked if each.startswith("/files/")]
    assert files_under(packs.folder()) == [".lock", after.name]


def test_another_pin_is_told_and_takes_the_place_of_the_one_before(
    index: Index, tried: list[Path]
) -> None:
    before = got(plan(OLD_PINS))
    (pack,) = kept.installed(PINS)
    assert (pack.folder, pack.newest, pack.trouble) == (before, False, None)
    after = got()
    assert after != before
    assert found() == [after.name]
    (pack,) = kept.installed(PINS)
    assert pack.newest


def test_another_protocol_is_told_and_needs_no_new_download(
    index: Index, tried: list[Path]
) -> None:
    place = got()
    manifest = json.loads((place / packs.MANIFEST).read_text("utf-8"))
    manifest["protocol"] = messages.PROTOCOL_VERSION - 1
    (place / packs.MANIFEST).write_text(json.dumps(manifest), "utf-8")
    (pack,) = kept.installed(PINS)
    assert pack.trouble is not None
    assert "another version" in pack.trouble.reason
    index.asked.clear()
    tried.clear()
    got()
    assert tried == [place / "env/bin/python"], "with this Voxline's own modules"
    assert index.asked == []
    assert found() == [place.name]


def test_a_damaged_one_is_found_out_and_made_anew(index: Index, tried: list[Path]) -> None:
    place = got()
    assert kept.verify(place) == []
    site = packs.site_packages(place / "env/bin/python")
    assert site is not None
    (site / "torch/__init__.py").write_bytes(b"changed")
    (site / "typing_extensions.py").unlink()
    assert sorted(kept.verify(place)) == [
        f"{(site / 'torch/__init__.py').relative_to(place)} was changed.",
        f"{(site / 'typing_extensions.py').relative_to(place)} is missing.",
    ]
    got()
    assert kept.verify(place) == []


def test_what_is_removed_is_gone_and_leaves_what_is_not_ours(
    index: Index, tried: list[Path]
) -> None:
    got()
    theirs = packs.folder() / "made by hand"
    theirs.mkdir()
    (theirs / packs.MANIFEST).write_text('{"pack": 1, "engines": ["voxtral-mlx"]}', "utf-8")
    kept.remove([pack.folder for pack in kept.installed()])
    assert files_under(packs.folder()) == [".lock", "made by hand"]


def test_one_at_a_time(index: Index, tried: list[Path]) -> None:
    with kept.alone():
        assert failure().code == "under-way"
    got()


def test_a_plan_finds_the_python_that_runs_this(index: Index) -> None:
    intended = install.plan("cpu", known=PINS)
    assert intended.here is not None
    assert intended.here.version == intended.build.python
    assert intended.python is None
    with pytest.raises(DownloadError, match="no pack “MLX for Apple silicon”"):
        install.plan("mlx", known=PINS)


def test_a_python_that_will_not_do_is_told(index: Index, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="is not there") as caught:
        install.plan("cpu", tmp_path / "python3.12 (mine)", PINS)
    assert "3.11, 3.12 or 3.13" in caught.value.hint
