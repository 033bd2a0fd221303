"""A model comes whole or not at all, and what has come need not come again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from app.models import download as downloads
from app.models import places, receipts
from app.models.catalogue import File, Model
from app.models.download import Done, Progress, Stop, StoppedError, download
from app.worker.link import child_env
from model_backends.base import UserError
from model_backends.downloads import fetch
from model_backends.downloads.told import DownloadError
from tests.models.conftest import CONTENT, LARGE, MODEL, UNKNOWN, sha256
from tests.support.hub import COMMIT, Fault, Hub, Proxy

HALF = 150_000
Tell = Callable[[Progress], None]


def get(models_dir: Path, model: Model = MODEL, tell: Tell = lambda progress: None) -> Done:
    return download(model, models_dir, tell, Stop())


def held(done: Done) -> dict[str, bytes]:
    return {name: (done.place.folder / name).read_bytes() for name in CONTENT}


def broken_off(hub: Hub, models_dir: Path, after: int = HALF, model: Model = MODEL) -> None:
    """A download that ends for good after so many bytes of the large file."""
    hub.always["cdn"] = Fault(status=403)
    hub.next("cdn", Fault(cut_after=after))
    with pytest.raises(DownloadError):
        get(models_dir, model)
    hub.always.clear()
    hub.requests.clear()


def test_a_model_comes_whole_and_stands_where_models_are_looked_for(
    hub: Hub, tmp_path: Path
) -> None:
    told: list[Progress] = []
    done = get(tmp_path, tell=told.append)
    assert done.place.folder == tmp_path / "Tiny-2602"
    assert held(done) == CONTENT
    assert done.from_hub == ()
    assert places.find(MODEL, tmp_path) == done.place
    assert receipts.is_checked(done.place.folder, tmp_path)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert (told[-1].done, told[-1].total, told[-1].fraction) == (MODEL.bytes, MODEL.bytes, 1.0)
    assert not list((tmp_path / places.DOWNLOADS).glob("*@*/*")), "nothing is left over"


def test_what_is_asked_is_pinned_and_says_little_of_us(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    get(tmp_path)
    assert {request.path.split("/")[4] for request in hub.asked("hub")} == {"1" * 40}
    assert all(r.headers["authorization"] == "Bearer hf_secret" for r in hub.asked("hub"))
    (far,) = hub.asked("cdn")
    assert "authorization" not in far.headers, "the token is for the hub alone"
    common = {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert set(far.headers) == common
    assert far.headers["user-agent"] == "voxline"


# --- what goes wrong by itself and is mended ----------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(cut_after=HALF)],
        [Fault(cut_after=1000), Fault(cut_after=0), Fault(cut_after=70_000), Fault(cut_after=0)],
        [Fault(status=503), Fault(status=429, headers={"Retry-After": "0"}), Fault(status=500)],
        [Fault(cut_after=HALF), Fault(status=416)],
        [Fault(cut_after=HALF), Fault(ignore_range=True)],
        [Fault(cut_after=HALF), Fault(shift_range=100)],
    ],
    ids=["dropped", "dropped often", "busy", "no such range", "no ranges", "another range"],
)
def test_a_fault_that_passes_is_not_told(hub: Hub, tmp_path: Path, faults: list[Fault]) -> None:
    hub.next("cdn", *faults)
    assert held(get(tmp_path)) == CONTENT


def test_after_a_fault_only_the_rest_is_asked_for(hub: Hub, tmp_path: Path) -> None:
    hub.next("cdn", Fault(cut_after=HALF))
    get(tmp_path)
    first, second = hub.asked("cdn")
    assert (first.range, second.range) == ("", f"bytes={HALF}-")
    assert first.path != second.path, "a link is signed for a while: the hub is asked anew"


def test_the_next_start_goes_on(hub: Hub, tmp_path: Path) -> None:
    broken_off(hub, tmp_path)
    assert places.unfinished(MODEL, tmp_path) >= HALF
    assert places.find(MODEL, tmp_path) is None, "half a model is none"
    told: list[Progress] = []
    assert held(get(tmp_path, tell=told.append)) == CONTENT
    assert [request.range for request in hub.asked("cdn")] == [f"bytes={HALF}-"]
    assert len(hub.requests) == 2, "the small files are here already"


def test_what_a_power_failure_has_spoilt_comes_anew(hub: Hub, tmp_path: Path) -> None:
    broken_off(hub, tmp_path)
    (partial,) = tmp_path.glob(".downloads/*@*/weights.bin.partial")
    partial.write_bytes(bytes(HALF))
    assert held(get(tmp_path)) == CONTENT
    assert [request.range for request in hub.asked("cdn")] == [f"bytes={HALF}-", ""]


def test_a_finished_file_is_counted_again_and_not_fetched(hub: Hub, tmp_path: Path) -> None:
    """Killed between the last byte and the last rename."""
    broken_off(hub, tmp_path)
    folder = places.download_folder(MODEL, tmp_path)
    (folder / "weights.bin.partial").unlink()
    (folder / "weights.bin").write_bytes(LARGE)
    get(tmp_path)
    assert not hub.requests
    broken = replace(MODEL, folder="Other")
    folder = places.download_folder(broken, tmp_path)
    folder.mkdir()
    (folder / "weights.bin").write_bytes(LARGE[::-1])
    assert held(get(tmp_path, broken)) == CONTENT


def test_a_wrong_file_of_a_model_that_is_here_comes_alone(hub: Hub, tmp_path: Path) -> None:
    folder = get(tmp_path).place.folder
    (folder / "params.json").write_bytes(b'{"dim": 9}')
    hub.requests.clear()
    assert held(get(tmp_path)) == CONTENT
    assert [request.path.rsplit("/")[-1] for request in hub.requests] == ["params.json"]


CHILD = """
import os, sys
from pathlib import Path
from app.models import download as d
from app.models.catalogue import File, Model, Needs
model = eval(sys.argv[1])
d._TELL_S = 0.0
def tell(progress):
    if progress.done >= int(sys.argv[3]):
        print("half", flush=True)
d.download(model, Path(sys.argv[2]), tell, d.Stop())
"""


def test_a_killed_download_goes_on(hub: Hub, tmp_path: Path) -> None:
    """kill -9 in the middle, and no lock is left behind."""
    hub.next("cdn", Fault(stall_after=HALF))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, repr(MODEL), str(tmp_path), str(HALF)],
        env=child_env(),
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"half\n"
    child.kill()
    child.wait()
    child.stdout.close()
    assert places.find(MODEL, tmp_path) is None
    hub.requests.clear()
    assert held(get(tmp_path)) == CONTENT
    (again,) = hub.requests[-1:]
    assert again.range.startswith("bytes=") and int(again.range[6:-1]) >= 60_000
    assert len(hub.requests) == 2


# --- where the catalogue knows no hash ----------------------------------------------------------


def test_the_hubs_own_hashes_are_taken_told_and_written_down(hub: Hub, tmp_path: Path) -> None:
    done = get(tmp_path, UNKNOWN)
    assert done.from_hub == tuple(CONTENT)
    assert held(done) == CONTENT
    receipt = receipts.read(done.place.folder, tmp_path)
    assert receipt is not None
    assert receipt.sha256 == {name: sha256(content) for name, content in CONTENT.items()}
    assert receipt.revision == COMMIT
    revisions = [request.path.split("/")[4] for request in hub.asked("hub")]
    assert revisions == ["main", COMMIT, COMMIT], "all files are of one revision"


@pytest.mark.parametrize("role", ["cdn", "hub"], ids=["sha256 of a large", "git's of a small"])
def test_wrong_bytes_are_found_by_the_hubs_own_hash(hub: Hub, tmp_path: Path, role: str) -> None:
    hub.next(role, Fault(flip=True))
    with pytest.raises(DownloadError) as error:
        get(tmp_path, UNKNOWN)
    assert error.value.code == "wrong-bytes"
    assert held(get(tmp_path, UNKNOWN)) == CONTENT, "and the next try is not held up by them"


def test_a_file_that_no_hash_names_is_not_put_together_of_two(hub: Hub, tmp_path: Path) -> None:
    """If-Range: a small file has changed between two tries."""
    model = replace(UNKNOWN, files=(File("params.json", 0, ""),))
    hub.next("hub", Fault(cut_after=4))
    hub.always["hub"] = Fault(status=403)
    with pytest.raises(DownloadError):
        get(tmp_path, model)
    hub.always.clear()
    hub.requests.clear()
    hub.files[f"{MODEL.repository}/params.json"] = b'{"dim": 10}'
    done = get(tmp_path, model)
    assert (done.place.folder / "params.json").read_bytes() == b'{"dim": 10}'
    assert hub.requests[0].headers["if-range"].startswith('"')


# --- stopping ------------------------------------------------------------------------------------


def test_stop_ends_it_while_nothing_comes_and_keeps_what_has_come(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_TELL_S", 0.0)
    hub.next("cdn", Fault(stall_after=HALF))
    stop, came, ended = Stop(), threading.Event(), threading.Event()

    def tell(progress: Progress) -> None:
        if progress.done >= HALF:
            came.set()

    def run() -> None:
        with pytest.raises(StoppedError):
            download(MODEL, tmp_path, tell, stop)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert came.wait(30)
    stop.ask()
    assert ended.wait(60)
    assert held(get(tmp_path)) == CONTENT
    begun = hub.asked("cdn")[-1].range
    assert begun.startswith("bytes=") and int(begun[6:-1]) > 0


def test_stop_ends_waiting_and_checking(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "WAITS_S", (3600.0,))
    hub.always["cdn"] = Fault(status=503)
    stop, told = Stop(), list[Progress]()

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress.doing == "waiting":
            stop.ask()

    with pytest.raises(StoppedError):
        download(MODEL, tmp_path, tell, stop)
    assert told[-1].left_s == 3600.0
    assert "a fault of its own (503)" in told[-1].why
    with pytest.raises(StoppedError):
        download(MODEL, tmp_path, tell, stop)


# --- this computer -------------------------------------------------------------------------------


def test_two_at_once_is_told(hub: Hub, tmp_path: Path) -> None:
    hub.next("cdn", Fault(stall_after=HALF))
    stop = Stop()

    def run() -> None:
        with pytest.raises(StoppedError):
            download(MODEL, tmp_path, lambda progress: None, stop)

    first = threading.Thread(target=run)
    first.start()
    assert hub.stalled.wait(30)
    with pytest.raises(DownloadError) as error:
        get(tmp_path)
    assert error.value.code == "under-way"
    stop.ask()
    first.join(30)


def test_room_on_the_disk_is_looked_at_before(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**8))
    with pytest.raises(DownloadError) as error:
        get(tmp_path)
    assert str(error.value) == "Needs 200 MB of space, 100 MB free."
    assert not hub.requests
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage._replace(free=downloads.MARGIN + HALF)
    )
    monkeypatch.setattr(places, "unfinished", lambda model, models_dir: HALF + 1000)
    get(tmp_path)  # what has come already needs no more


def test_a_disk_that_is_full_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DownloadError) as error:
        get(tmp_path)
    assert error.value.code == "no-space"
    assert "goes on where it stopped" in error.value.hint


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(hub: Hub, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DownloadError) as error:
        get(tmp_path)
    tmp_path.chmod(0o700)
    assert error.value.code == "not-writable"


def test_a_file_where_the_folder_should_be_is_told(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    with pytest.raises(DownloadError) as error:
        get(tmp_path / "models")
    assert error.value.code == "not-writable"
    assert "VOXLINE_MODELS" in error.value.hint


# --- ways to the hub -----------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "bWU6c2VjcmV0"])
def test_through_a_proxy(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    proxy = Proxy(password)
    login = "me:secret@" if password else ""
    monkeypatch.setenv("HTTP_PROXY", f"http://{login}{proxy.place}")
    assert held(get(tmp_path)) == CONTENT
    assert len(proxy.asked) == len(hub.requests) == 4
    proxy.close()


def test_without_the_proxys_password_it_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy("bWU6c2VjcmV0")
    monkeypatch.setenv("HTTP_PROXY", f"http://me:wrong@{proxy.place}")
    with pytest.raises(DownloadError) as error:
        get(tmp_path)
    assert error.value.code == "proxy"
    assert f"The proxy {proxy.place} does not let" in error.value.message
    assert "wrong" not in error.value.message + error.value.hint
    proxy.close()


def test_a_mirror_in_a_folder_of_its_host(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_ENDPOINT may have a path: a company's own store."""
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example/api/hf/")
    url = fetch.url_of("a/b", "", "x y.json")
    assert url == "http://mirror.example/api/hf/a/b/resolve/main/x%20y.json"


def test_verify_without_a_model_or_a_hash_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not on this computer"):
        downloads.verify(MODEL, tmp_path)
    folder = tmp_path / MODEL.folder
    for name, content in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with pytest.raises(UserError, match="Nobody here knows"):
        downloads.verify(UNKNOWN, tmp_path)
    assert not receipts.is_checked(folder, tmp_path)
    assert downloads.verify(MODEL, tmp_path) == []
    assert receipts.is_checked(folder, tmp_path)
    (folder / "weights.bin").write_bytes(LARGE[::-1])
    assert not receipts.is_checked(folder, tmp_path), "changed since"
    (problem,) = downloads.verify(MODEL, tmp_path)
    assert problem == "weights.bin is not the published file (its sha256 differs)."


def test_the_client_is_the_one_that_is_meant() -> None:
    """What the errors are told by: names that another version of it might drop."""
    for name in ("ConnectError", "ProxyError", "ReadTimeout", "RemoteProtocolError"):
        assert issubclass(getattr(httpx2, name), httpx2.HTTPError)
