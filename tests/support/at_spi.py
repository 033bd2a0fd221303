"""What assistive technology finds in the windows of a process: AT-SPI, asked over D-Bus.

    at_spi = AtSpi()
    print("\n".join(at_spi.lines(at_spi.application("Voxline"))))

A line a thing, indented by depth: its role, its name in quotes, its value or text if it has one.
What only holds others is left out. Knows nothing of the app.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = ("dbus-daemon",)
_LAUNCHERS = ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher")
_ACCESSIBLE, _VALUE, _TEXT = (f"org.a11y.atspi.{name}" for name in ("Accessible", "Value", "Text"))
_ROOT = "/org/a11y/atspi/accessible/root"
_SHOWING = 25  # ATSPI_STATE_SHOWING
_OBJECT_EVENTS = "org.a11y.atspi.Event.Object"
_HOLDERS = ("filler", "layered pane", "panel", "scroll bar")


def missing_tools() -> list[str]:
    """What this needs and what is not here."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not any(Path(each).exists() for each in _LAUNCHERS):
        missing.append("at-spi2-core")
    return missing


@dataclass(frozen=True, slots=True)
class Node:
    """A thing on the accessibility bus."""

    owner: str
    path: str


class AtSpi:
    """A connection to the accessibility bus of a session."""

    def __init__(self) -> None:
        """The session bus is that of the environment. Starts AT-SPI there."""
        from jeepney import DBusAddress, new_method_call
        from jeepney.bus import get_bus
        from jeepney.io.blocking import DBusConnection, open_dbus_connection, prep_socket

        session = open_dbus_connection("SESSION")
        where = DBusAddress("/org/a11y/bus", bus_name="org.a11y.Bus", interface="org.a11y.Bus")
        asked = session.send_and_get_reply(new_method_call(where, "GetAddress"), timeout=60)
        self._bus = DBusConnection(prep_socket(get_bus(asked.body[0])))
        session.close()
        self._announced: deque[Any] = deque()

    def close(self) -> None:
        self._bus.close()

    def application(self, name: str, within_s: float = 60) -> Node:
        """The process that calls itself so, once it is there."""
        end = time.monotonic() + within_s
        registry = Node("org.a11y.atspi.Registry", _ROOT)
        while time.monotonic() < end:
            for child in self.children(registry):
                if self.name(child) == name:
                    return child
            time.sleep(0.1)
        raise TimeoutError(f"no {name} on the accessibility bus")

    def children(self, node: Node) -> list[Node]:
        answer = self._call(node, _ACCESSIBLE, "GetChildren")
        return [Node(owner, path) for owner, path in answer[0]] if answer else []

    def name(self, node: Node) -> str:
        return str(self._get(node, _ACCESSIBLE, "Name") or "")

    def role(self, node: Node) -> str:
        answer = self._call(node, _ACCESSIBLE, "GetRoleName")
        return str(answer[0]) if answer else ""

    def is_showing(self, node: Node) -> bool:
        answer = self._call(node, _ACCESSIBLE, "GetState")
        return bool(answer and answer[0][0] >> _SHOWING & 1)

    def value(self, node: Node) -> float | None:
        found = self._get(node, _VALUE, "CurrentValue")
        return None if found is None else float(found)

    def text(self, node: Node) -> str | None:
        answer = self._call(node, _TEXT, "GetText", "ii", (0, -1))
        return str(answer[0]) if answer else None

    def lines(self, node: Node, depth: int = 0) -> Iterator[str]:
        """What is showing, top down."""
        role, name = self.role(node), self.name(node)
        if role in _HOLDERS and not name:
            yield from self._lines_below(node, depth)
            return
        said = f"{role} “{name}”" if name else role
        value = self.value(node)
        if value is not None:
            said += f" = {value:g}"
        text = self.text(node)
        if text and text != name:
            said += f": {text}"
        yield "  " * depth + said
        yield from self._lines_below(node, depth + 1)

    def listen(self) -> None:
        """From now on keep what is announced."""
        from jeepney import DBusAddress, MatchRule, message_bus, new_method_call

        rule = MatchRule(type="signal", interface=_OBJECT_EVENTS, member="Announcement")
        self._bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=60)
        self._bus.filter(rule, queue=self._announced).__enter__()
        registry = DBusAddress(
            "/org/a11y/atspi/registry",
            bus_name="org.a11y.atspi.Registry",
            interface="org.a11y.atspi.Registry",
        )
        asked: Any = ("object:announcement", [], "")
        message = new_method_call(registry, "RegisterEvent", "sass", asked)
        self._bus.send_and_get_reply(message, timeout=60)

    def announced(self, within_s: float = 60) -> str:
        """The next thing that is announced. Raises TimeoutError."""
        signal = self._bus.recv_until_filtered(self._announced, timeout=within_s)
        return str(signal.body[3][1])

    def _lines_below(self, node: Node, depth: int) -> Iterator[str]:
        for child in self.children(node):
            if self.is_showing(child):
                yield from self.lines(child, depth)

    def _get(self, node: Node, interface: str, what: str) -> Any:
        answer = self._call(node, "org.freedesktop.DBus.Properties", "Get", "ss", (interface, what))
        return answer[0][1] if answer else None

    def _call(
        self, node: Node, interface: str, member: str, signature: str = "", body: Any = ()
    ) -> Any:
        """The answer's values; None if it has no such interface, or is gone."""
        from jeepney import DBusAddress, MessageType, new_method_call

        where = DBusAddress(node.path, bus_name=node.owner, interface=interface)
        message = new_method_call(where, member, signature or None, body)
        answer = self._bus.send_and_get_reply(message, timeout=60)
        return None if answer.header.message_type is MessageType.error else answer.body
