"""Where a wheel is: folders and pages with links first, then indexes, whatever they speak."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.packs.links import Links
from app.packs.pins import File
from app.packs.sources import Sources
from model_backends.downloads import fetch
from model_backends.downloads.fetch import Stop
from model_backends.downloads.told import DownloadError
from tests.packs.conftest import TORCH, WHEELS
from tests.support.package_index import Fault, Index

WANTED = File(TORCH, 1, "0" * 64, 1)
DEAD = "http://127.0.0.1:9/simple"


def find(sources: Sources, file: File = WANTED) -> str | Path:
    with fetch.open_client(for_hub=False) as client:
        return Links(sources, client, Stop(), lambda waiting: None).find(file)


def of(*indexes: str, links: tuple[str, ...] = ()) -> Sources:
    return Sources(links=links, indexes=indexes, pytorch="")


@pytest.mark.parametrize("speaks_json", [True, False])
def test_an_index_answers_with_json_or_with_a_page(index: Index, speaks_json: bool) -> None:
    index.speaks_json = speaks_json
    place = find(of(index.url))
    assert str(place).replace("%2B", "+") == index.url.replace("/simple", f"/files/{TORCH}")
    assert index.asked == ["/simple/torch/"]


def test_a_token_of_the_model_hub_goes_to_no_index(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    find(of(index.url))
    assert "authorization" not in index.headers[0]


def test_a_project_has_one_name_at_every_index(index: Index) -> None:
    find(of(index.url), File("typing_extensions-4.16.0-py3-none-any.whl", 1, "0" * 64, 1))
    assert index.asked == ["/simple/typing-extensions/"]


def test_a_folder_comes_before_an_index(index: Index, tmp_path: Path) -> None:
    (tmp_path / TORCH).write_bytes(b"")
    assert find(of(index.url, links=(str(tmp_path),))) == tmp_path / TORCH
    assert find(of(index.url, links=(tmp_path.as_uri(),))) == tmp_path / TORCH
    assert index.asked == []


def test_an_index_may_lie_in_a_folder(tmp_path: Path) -> None:
    page = tmp_path / "simple" / "torch" / "index.html"
    page.parent.mkdir(parents=True)
    link = f"../../my%20files/{TORCH.replace('+', '%2B')}#sha256=0"
    page.write_text(f'<html><a href="{link}">it</a></html>', "utf-8")
    assert find(of((tmp_path / "simple").as_uri())) == tmp_path / "my files" / TORCH


def test_the_next_is_asked_where_one_has_nothing(index: Index, tmp_path: Path) -> None:
    index.files = {TORCH: WHEELS[TORCH]}
    nothing = tmp_path.as_uri()
    assert TORCH in str(find(of(nothing, DEAD, index.url))).replace("%2B", "+")


def test_who_could_not_be_asked_is_why_it_was_not_found(index: Index) -> None:
    index.files = {}
    with pytest.raises(DownloadError) as caught:
        find(of(index.url, DEAD))
    assert caught.value.code == "unreachable"
    with pytest.raises(DownloadError, match="in none of the places") as caught:
        find(of(index.url))
    assert "index-url" in caught.value.hint


def test_makers_builds_are_looked_for_at_their_own_index(index: Index) -> None:
    """PyPI has no +cpu; PyTorch's index has a folder for each build."""
    index.files = {TORCH: WHEELS[TORCH]}
    assert Sources(pytorch="https://t").indexes_for("cpu")[-1] == "https://t/cpu"
    assert Sources(pytorch="https://t").indexes_for("") == Sources(pytorch="").indexes
    assert (WANTED.build, WANTED.project) == ("cpu", "torch")


def test_one_that_wants_a_password_has_it_from_its_address(index: Index) -> None:
    index.wants = "me:se cret"
    with pytest.raises(DownloadError) as caught:
        find(of(index.url))
    assert caught.value.code == "sign-in"
    assert "HF_TOKEN" not in caught.value.hint
    assert "user and a password" in caught.value.hint
    find(of(index.url.replace("//", "//me:se%20cret@")))


def test_nonsense_is_told(index: Index) -> None:
    index.faults.extend([Fault(body=b'{"files": [1]}')] * 3)
    with pytest.raises(DownloadError) as caught:
        find(of(index.url))
    assert caught.value.code == "odd-answer"
    with pytest.raises(DownloadError, match="no address") as caught:
        find(of("gopher://me:secret@example.org/simple"))
    assert "secret" not in caught.value.message


def test_one_that_is_busy_is_asked_again(index: Index) -> None:
    index.faults.append(Fault(status=503))
    find(of(index.url))
    assert len(index.asked) == 2
