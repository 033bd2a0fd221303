"""What keeps one caller from harming the others: the door, the outbox, the pace, the hub."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.server import ServerConnection

from app.core.chunk import Chunk
from app.share.caller import Pace
from app.share.door import MOST_PENDING, Door, PortError
from app.share.hub import AHEAD_MS, Heard, Hub, OverloadError, Stream
from app.share.outbox import Outbox
from app.worker import messages as m
from app.worker.client import ClientEvent
from app.worker.serving import ServingClient
from model_backends.base import Notice, Progress, Word

START = m.Start(m.PROTOCOL_VERSION, "scripted", "/models")
SECOND = bytes(32_000)


# --- the door -------------------------------------------------------------------------------------


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door("127.0.0.1", 0, "")
    yield made
    made.close()


def test_the_oldest_unfinished_handshake_goes_for_the_newest(door: Door) -> None:
    ours, theirs = [], []
    for number in range(MOST_PENDING + 3):
        theirs.append(socket.create_connection(("127.0.0.1", door.port), 60))
        ours.append(door.accept()[0])
        if number == 1:
            door.known(ours[1])  # whoever has come in is not counted any more
    assert [link.recv(1) for link in (theirs[0], theirs[2])] == [b"", b""]
    for link in (theirs[1], theirs[3], theirs[-1]):
        link.setblocking(False)
        with pytest.raises(BlockingIOError):
            link.recv(1)
    for link in (*ours, *theirs):
        link.close()


def test_a_door_that_is_shut_lets_nobody_in(door: Door) -> None:
    door.close()
    with pytest.raises(OSError):
        door.accept()


def test_a_port_is_nobody_elses(door: Door) -> None:
    with pytest.raises(PortError) as told:
        Door("127.0.0.1", door.port, "Choose another.")
    assert told.value.hint == "Choose another."


# --- the outbox -----------------------------------------------------------------------------------


class Stuck:
    """A connection whose client does not read, until its socket is shut down."""

    def __init__(self) -> None:
        self.socket = self
        self.cut = threading.Event()
        self.sending = threading.Event()

    def send(self, text: str) -> None:
        self.sending.set()
        assert self.cut.wait(60)
        raise ConnectionClosedOK(None, None)

    def shutdown(self, how: int) -> None:
        self.cut.set()


def test_a_client_that_does_not_read_is_let_go_when_too_much_waits() -> None:
    stuck = Stuck()
    outbox = Outbox(cast(ServerConnection, stuck), most=3)
    outbox.say("sent")
    assert stuck.sending.wait(60)
    for _ in range(3):
        outbox.say("waits")
        assert not stuck.cut.is_set()
    outbox.say("too much")
    assert stuck.cut.is_set()
    outbox.finish(60)


class Ending(Stuck):
    def __init__(self) -> None:
        super().__init__()
        self.ended: list[tuple[int, str]] = []

    def close(self, code: int, reason: str) -> None:
        self.ended.append((code, reason))


def test_a_reason_of_any_length_fits_a_websockets_last_frame() -> None:
    ending = Ending()
    outbox = Outbox(cast(ServerConnection, ending), most=3)
    outbox.hang_up(1008, "a" + "ß" * 100)
    outbox.wait(60)
    assert ending.ended == [(1008, "a" + "ß" * 61)]


# --- the pace -------------------------------------------------------------------------------------


def test_events_beyond_a_burst_are_read_at_a_steady_pace() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert not any(pace.wait_s() for _ in range(500))
    waits = []
    for _ in range(500):
        waits.append(pace.wait_s())
        now[0] += waits[-1]
    assert sum(waits) == pytest.approx(500 / 250, abs=0.1)
    now[0] += 60
    assert pace.wait_s() == 0


# --- the hub --------------------------------------------------------------------------------------


class Client:
    """What the hub needs of a `ServingClient`."""

    def __init__(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> None:
        self.deliver = deliver
        self.calls: list[object] = []
        self.lags: dict[str, int] = {}

    def start(self) -> None:
        self.calls.append("start")

    def enter(self, lane: str, language: str | None) -> None:
        self.calls.append(("enter", lane, language))

    def push(self, chunk: Chunk) -> None:
        self.calls.append(chunk)

    def pause(self, lane: str) -> None:
        self.calls.append(("pause", lane))

    def leave(self, lane: str) -> None:
        self.calls.append(("leave", lane))

    def lag_ms(self, lane: str) -> int:
        return self.lags.get(lane, 0)

    def close(self) -> None:
        self.calls.append("close")


class Rig:
    def __init__(self, most: int = 3) -> None:
        self.now = 0.0
        self.hub = Hub(START, most, self._make, lambda: self.now)
        self.client: Client = cast(Client, self.hub.client)

    def _make(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> ServingClient:
        return cast(ServingClient, Client(start, deliver))

    def join(self, language: str | None = None) -> tuple[Stream, list[Heard]]:
        heard: list[Heard] = []
        return self.hub.join(heard.append, language), heard

    def live(self, streams: list[Stream], seconds: int, heard: float) -> None:
        """All speak; the engine hears this share of it."""
        for _ in range(seconds):
            self.now += 1
            for stream in streams:
                if stream.ended is None:
                    stream.push(stream.pushed_ms, stream.pushed_ms * 16, SECOND)
                    self.client.lags[stream.lane] = round(stream.pushed_ms * (1 - heard))
            self.hub.look()


def test_a_stream_has_its_own_time_and_language() -> None:
    rig = Rig()
    rig.now = 60.0
    stream, heard = rig.join("de")
    stream.push(0, 0, SECOND)
    assert rig.client.calls[:2] == [
        ("enter", stream.lane, "de"),
        Chunk(stream.lane, 60_000, 0, SECOND),
    ]
    rig.client.deliver(Word(stream.lane, 0, 0, " hi", 60_200, 60_400))
    rig.client.deliver(Progress(stream.lane, 0, 61_000, 60_500))
    rig.client.deliver(Word("stream 99", 0, 0, " not mine", 60_200, 60_400))
    assert heard == [
        Word(stream.lane, 0, 0, " hi", 200, 400),
        Progress(stream.lane, 0, 1_000, 500),
    ]


def test_there_is_room_again_when_one_has_left() -> None:
    rig = Rig(most=1)
    first, _ = rig.join()
    with pytest.raises(OverloadError, match="1 streams"):
        rig.join()
    first.close()
    first.close()
    assert rig.client.calls.count(("leave", first.lane)) == 1
    second, _ = rig.join()
    assert second.lane != first.lane


def test_nobody_is_taken_in_while_somebody_is_late() -> None:
    rig = Rig()
    stream, _ = rig.join()
    rig.live([stream], 20, heard=0.5)
    with pytest.raises(OverloadError, match="behind"):
        rig.join()


def test_whoever_came_last_goes_when_the_engine_falls_behind_for_good() -> None:
    rig = Rig()
    first, last = rig.join()[0], rig.join()[0]
    rig.live([first, last], 45, heard=0.5)
    assert first.ended is None
    assert last.ended is not None
    with pytest.raises(OverloadError, match="keep up"):
        last.push(0, 0, SECOND)
    assert ("leave", last.lane) in rig.client.calls


def test_they_go_one_at_a_time() -> None:
    """The engine is given time to catch up with those who stay."""
    rig = Rig()
    streams = [rig.join()[0] for _ in range(3)]
    rig.live(streams, 40, heard=0.5)
    assert [stream.ended is None for stream in streams] == [True, True, False]
    rig.live(streams, 30, heard=0.5)
    assert [stream.ended is None for stream in streams] == [True, False, False]


def test_an_engine_that_keeps_up_ends_nobody() -> None:
    rig = Rig()
    streams = [rig.join()[0] for _ in range(3)]
    rig.live(streams, 60, heard=0.97)
    assert not any(stream.ended for stream in streams)


def test_a_file_waits_for_the_engine_and_for_those_who_speak() -> None:
    rig = Rig()
    stream, _ = rig.join()
    for second in range(20):
        stream.push(second * 1000, second * 16_000, SECOND)
    rig.hub.look()
    assert stream.lateness.patient
    rig.client.lags[stream.lane] = AHEAD_MS
    pushed = threading.Event()

    def push() -> None:
        stream.push(20_000, 320_000, SECOND)
        pushed.set()

    threading.Thread(target=push, daemon=True).start()
    assert not pushed.wait(0.3)
    rig.client.lags[stream.lane] = 0
    assert pushed.wait(60)


def test_a_stream_that_the_engine_refuses_has_to_go() -> None:
    rig = Rig()
    stream, heard = rig.join()
    rig.client.deliver(Notice(stream.lane, "stream-refused", "There is no memory."))
    assert len(heard) == 1
    with pytest.raises(OverloadError, match="no memory"):
        stream.push(0, 0, SECOND)


def test_the_end_of_the_engine_frees_who_waits() -> None:
    rig = Rig()
    rig.client.deliver(m.Failure("It broke.", "Try again."))
    assert rig.hub.over.is_set()
    assert rig.hub.failure is not None
    rig.hub.close()
    assert rig.client.calls == ["close"]
