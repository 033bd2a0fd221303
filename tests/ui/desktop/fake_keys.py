"""A system that gives keys, or says that others have them; and a portal that says what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.native.keys import Combination, Refusal


class FakeKeys:
    """`taken` belong to other programs, with `typed` people type. `press(name)` is the user."""

    def __init__(self, taken: set[Combination] | None = None) -> None:
        self.taken = taken or set()
        self.typed: set[Combination] = set()
        self.grabbed: dict[str, Combination] = {}
        self.told: Callable[[str], None] | None = None
        self.closed = False

    def open(self, platform: str, pressed: Callable[[str], None]) -> FakeKeys:
        self.told = pressed
        return self

    def grab(self, wanted: Mapping[str, Combination]) -> Mapping[str, Refusal]:
        refused = {name: Refusal.TAKEN for name, keys in wanted.items() if keys in self.taken}
        refused |= {name: Refusal.TYPES for name, keys in wanted.items() if keys in self.typed}
        self.grabbed = {name: keys for name, keys in wanted.items() if name not in refused}
        return refused

    def press(self, keys: Combination) -> None:
        assert self.told is not None
        for name, grabbed in self.grabbed.items():
            if grabbed == keys:
                self.told(name)

    def close(self) -> None:
        self.closed = True
