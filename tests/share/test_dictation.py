"""Words on their way into another program's window: each once, in order, and never where not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.native.typist import CAPS_LOCK, KEYS, Focus, NoTypingError
from app.share.dictation import Dictating, Doing, Spacing, Way
from model_backends.base import Word

OTHER = Focus(7)


class FakeTypist:
    """Windows by their number, and what has been typed into each."""

    def __init__(self) -> None:
        self.now = OTHER
        self.texts: dict[int, str] = {}
        self.closed = threading.Event()
        self.error: Exception | None = None
        self.unknown = ""

    def focus(self) -> Focus:
        if self.error:
            raise self.error
        return self.now

    def type(self, text: str) -> int:
        assert not self.closed.is_set()
        assert not (self.now.ours or self.now.secret or self.now.held)
        kept = "".join(char for char in text if char not in self.unknown)
        self.texts[self.now.window] = self.texts.get(self.now.window, "") + kept
        return len(text) - len(kept)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def typist() -> FakeTypist:
    return FakeTypist()


@pytest.fixture
def dictating(typist: FakeTypist) -> Iterator[Dictating]:
    made = Dictating(typist)
    made.start()
    yield made
    made.end()
    made.wait(60)


def say(dictating: Dictating, text: str) -> None:
    for n, each in enumerate(text.split()):
        dictating.take(Word("me", 0, 0, f" {each}", 300 * n, 300 * n + 200))


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_words_are_typed_once_each_in_their_order(typist: FakeTypist, dictating: Dictating) -> None:
    said = [f"w{n}" for n in range(300)]
    say(dictating, " ".join(said))
    wait_until(lambda: dictating.doing.typed == 300)
    assert typist.texts == {7: " ".join(said)}


@pytest.mark.parametrize(
    ("focus", "way"),
    [
        (Focus(9, ours=True), Way.OURS),
        (Focus(7, secret=True), Way.SECRET),
        (Focus(0), Way.NOWHERE),
    ],
)
def test_what_is_said_where_nothing_may_be_typed_is_typed_nowhere_later(
    typist: FakeTypist, dictating: Dictating, focus: Focus, way: Way
) -> None:
    typist.now = focus
    say(dictating, "secret")
    wait_until(lambda: dictating.doing.way is way and dictating._queue.empty())
    dictating.begin()  # what comes before it has been dealt with once it has
    wait_until(dictating._queue.empty)
    typist.now = OTHER
    say(dictating, "open")
    wait_until(lambda: dictating.doing.typed == 1)
    assert typist.texts == {7: "open"}


def test_a_word_between_two_windows_is_typed_into_the_next(
    typist: FakeTypist, dictating: Dictating
) -> None:
    looks = iter([Focus(0)] * 5)

    def focus() -> Focus:
        return next(looks, OTHER)

    typist.focus = focus  # type: ignore[method-assign]
    say(dictating, "hello")
    wait_until(lambda: dictating.doing.typed == 1)
    assert typist.texts == {7: "hello"}


@pytest.mark.parametrize(("held", "way"), [(KEYS, Way.KEYS), (CAPS_LOCK, Way.CAPS_LOCK)])
def test_words_wait_while_keys_are_held(
    typist: FakeTypist, dictating: Dictating, held: str, way: Way
) -> None:
    typist.now = Focus(7, held=held)
    say(dictating, "one two")
    wait_until(lambda: dictating.doing.way is way)
    assert not typist.texts
    typist.now = OTHER
    wait_until(lambda: dictating.doing.typed == 2)
    assert typist.texts == {7: "one two"}


def test_what_waits_when_listening_is_paused_is_never_typed(
    typist: FakeTypist, dictating: Dictating
) -> None:
    typist.now = Focus(7, held=KEYS)
    say(dictating, "before")
    wait_until(lambda: dictating.doing.way is Way.KEYS)
    dictating.hush()
    typist.now = OTHER
    say(dictating, "after")
    wait_until(lambda: dictating.doing.typed == 1)
    assert typist.texts == {7: "after"}


def test_at_its_end_nothing_more_is_typed_and_the_keyboard_is_put_back(
    typist: FakeTypist, dictating: Dictating
) -> None:
    typist.now = Focus(7, held=KEYS)
    say(dictating, "late")
    wait_until(lambda: dictating.doing.way is Way.KEYS)
    dictating.end()
    dictating.wait(60)
    assert typist.closed.is_set() and not typist.texts
    assert dictating.doing == Doing(Way.OVER)


def test_the_next_begins_once_the_keyboard_is_put_back(typist: FakeTypist) -> None:
    first, order = Dictating(typist), list[str]()
    first.start()

    class Later(FakeTypist):
        def focus(self) -> Focus:
            order.append("put back" if typist.closed.is_set() else "not yet")
            return super().focus()

    next_one = Dictating(Later(), after=first)
    next_one.start()
    say(next_one, "hello")
    first.end()
    wait_until(lambda: next_one.doing.typed == 1)
    next_one.end()
    next_one.wait(60)
    assert set(order) == {"put back"}


def test_what_has_no_key_is_counted(typist: FakeTypist, dictating: Dictating) -> None:
    typist.unknown = "你好"
    say(dictating, "你好 hi")
    wait_until(lambda: dictating.doing.typed == 2)
    assert dictating.doing.left_out == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoTypingError("The X server does not answer."), "The X server"),
        (ZeroDivisionError(), "Something"),
    ],
)
def test_it_does_not_end_in_silence(
    typist: FakeTypist, dictating: Dictating, error: Exception, told: str
) -> None:
    typist.error = error
    say(dictating, "hello")
    wait_until(lambda: dictating.doing.way is Way.OVER)
    assert dictating.doing.problem is not None
    assert dictating.doing.problem[0].startswith(told)
    assert typist.closed.is_set()


def test_spaces_are_those_that_the_place_needs() -> None:
    spacing = Spacing()
    assert [spacing.spaced(text, 1) for text in (" One", " two", ",", " three")] == [
        "One", " two", ",", " three",
    ]  # fmt: skip
    assert spacing.spaced(" four", 2) == "four"  # another window
    assert spacing.spaced(" five", 2) == " five"
    spacing.begin()
    assert spacing.spaced("Six", 2) == " Six"  # another session
    spacing.begin()
    assert spacing.spaced(" seven", 2) == " seven"
    assert spacing.spaced("你", 3) == "你"
    spacing.begin()
    assert spacing.spaced("好", 3) == "好"
