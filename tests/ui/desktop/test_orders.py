"""What a start of the window asks for, and that a Voxline that runs does it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.cli.parser import build_window_parser
from app.ui.desktop.control import Control
from app.ui.desktop.orders import NEW_SESSION_ORDER, listens_at_start, orders_of, to_transcribe
from app.ui.desktop.single_instance import Claim, SingleInstance
from app.ui.state.commands import Commands
from tests.ui.conftest import Rig

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.desktop import single_instance
from app.ui.desktop.single_instance import SingleInstance
app = QCoreApplication([])
single_instance.ANSWER_WITHIN_MS = 60_000
print(SingleInstance(Path(sys.argv[1])).claim(sys.argv[2:]).name)
"""


@pytest.fixture
def first(qtbot: QtBot, tmp_path: Path) -> Iterator[SingleInstance]:
    instance = SingleInstance(tmp_path)
    assert instance.claim() is Claim.FIRST
    yield instance
    instance.release()


def asked(*arguments: str) -> list[str]:
    return orders_of(build_window_parser().parse_args(arguments))


def test_a_plain_start_orders_nothing() -> None:
    assert asked() == []


def test_actions_and_files_become_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert asked("--new-session") == [NEW_SESSION_ORDER]
    assert json.loads(asked("--show-captions")[0]) == {"verb": "show"}
    talk, other = asked("a talk.mp4", "/media/Zoë/b.ogg")
    assert json.loads(talk) == {"verb": "transcribe", "file": str(tmp_path / "a talk.mp4")}
    assert json.loads(other) == {"verb": "transcribe", "file": "/media/Zoë/b.ogg"}


def test_who_opens_a_file_does_not_open_the_microphone() -> None:
    assert listens_at_start([], True)
    assert listens_at_start(asked("--new-session"), True)
    assert not listens_at_start(asked("talk.mp4"), True)
    assert not listens_at_start([], False)


def test_the_first_gets_every_order_whole(
    first: SingleInstance, tmp_path: Path, qtbot: QtBot
) -> None:
    obeyed: list[str] = []

    def obey(line: str) -> str:
        obeyed.append(line)
        return "{}"

    first.serve(obey)
    raised: list[bool] = []
    first.raise_requested.connect(lambda: raised.append(True))
    # a name as long as the system allows, each letter six bytes in JSON
    folder = Path("/media") / ("ж" * 127)
    orders = [to_transcribe(folder / f"{number}.mp4") for number in range(300)]
    second = subprocess.Popen(
        [sys.executable, "-c", SECOND, str(tmp_path), *orders], stdout=subprocess.PIPE, text=True
    )
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=60_000)
    assert second.communicate()[0] == "SHOWN\n"
    assert obeyed == orders
    assert raised == []


def test_a_new_session_follows_one_that_runs(rig: Rig) -> None:
    control = Control(Commands(), rig.captioning, lambda: 28)
    assert json.loads(control.obey(NEW_SESSION_ORDER))["done"]
    assert len(rig.sessions) == 1
    control.obey(NEW_SESSION_ORDER)
    assert len(rig.sessions) == 2


def test_files_go_to_who_transcribes_them(rig: Rig) -> None:
    given: list[Path] = []
    control = Control(Commands(), rig.captioning, lambda: 28, given.append)
    answer = json.loads(control.obey(to_transcribe(Path("/media/Zoë/talk.mp4"))))
    assert answer["done"]
    assert given == [Path("/media/Zoë/talk.mp4")]
    assert not json.loads(control.obey('{"verb": "transcribe", "file": 3}'))["done"]
    assert rig.sessions == []
