"""A stand-in that is not like the real thing is found out, whatever it has too much."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.support.likeness import assert_like


class Radio:
    """The real thing."""

    band: str

    def __init__(self) -> None:
        self.volume = 3

    @property
    def station(self) -> str:
        return "one"

    def tune(self, hertz: int, *, fine: bool = False) -> None: ...


class Good:
    def __init__(self) -> None:
        self.volume, self.band = 5, "FM"
        self.tuned: list[int] = []
        self._secret = 1

    @property
    def station(self) -> str:
        return "two"

    def tune(self, hertz: int, *, fine: bool = False) -> None:
        self.tuned.append(hertz)


def test_a_part_of_the_real_thing_will_do() -> None:
    assert_like(Good, Radio, own={"tuned"})


def test_what_tests_steer_with_is_named() -> None:
    with pytest.raises(AssertionError, match="tuned, which the real one lacks"):
        assert_like(Good, Radio)
    with pytest.raises(AssertionError, match="gone"):
        assert_like(Good, Radio, own={"tuned", "gone"})


class Extra(Good):
    def rewind(self) -> None: ...


class Set(Good):
    def __init__(self) -> None:
        super().__init__()
        self.colour = "red"


class Renamed(Good):
    def tune(self, frequency: int, *, fine: bool = False) -> None: ...


class Otherwise(Good):
    def tune(self, hertz: int, *, fine: bool = True) -> None: ...


class Verb(Good):
    def station(self) -> str:  # type: ignore[override] # wrong on purpose
        return "a property there"


class Anything(Good):
    def __getattr__(self, name: str) -> None: ...


@pytest.mark.parametrize(
    ("fake", "why"),
    [
        (Extra, "rewind, which"),
        (Set, "colour, which"),
        (Renamed, "tune takes"),
        (Otherwise, "tune takes"),
        (Verb, "station is a verb"),
        (Anything, "any name"),
    ],
)
def test_each_way_to_differ_is_found(fake: type, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        assert_like(fake, Radio, own={"tuned"})


def test_a_module_can_be_stood_in_for() -> None:
    module = ModuleType("radio")
    module.__dict__["tune"] = lambda hertz, *, fine=False: None
    module.__dict__["band"] = "FM"
    module.__dict__["volume"] = 3
    with pytest.raises(AssertionError, match="station, which"):
        assert_like(Good, module, own={"tuned"})
    module.__dict__["station"] = "one"
    assert_like(Good, module, own={"tuned"})
