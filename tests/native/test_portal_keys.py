"""Keys by way of the desktop portal: a stand-in for it, on a real bus that checks every message."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from app.native.keys import NoGlobalKeysError, parse
from app.native.portal_keys import PortalKeys, trigger

jeepney = pytest.importorskip("jeepney", reason="only Linux has a portal")

PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS, REQUEST = "org.freedesktop.portal.GlobalShortcuts", "org.freedesktop.portal.Request"
SESSION = "/org/freedesktop/portal/desktop/session/1_7/voxline"
WANTED = {
    "captions": ("Show or hide the captions", parse("Ctrl+Alt+C")),
    "bigger": ("Bigger text", parse("Ctrl+Alt++")),
    "mark": ("Mark this place", None),
}


class Portal:
    """Answers as xdg-desktop-portal's documentation says; the user accepts, or does not."""

    def __init__(self, accepts: bool = True) -> None:
        from jeepney.io.blocking import open_dbus_connection

        self.accepts = accepts
        self.bound: list[tuple[str, dict[str, Any]]] = []
        self.parent = "?"
        self._bus = open_dbus_connection("SESSION")
        asked = jeepney.message_bus.RequestName("org.freedesktop.portal.Desktop")
        assert self._bus.send_and_get_reply(asked).body == (1,)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def emit(self, member: str, signature: str, *body: Any) -> None:
        address = jeepney.DBusAddress(PATH, interface=SHORTCUTS)
        self._bus.send(jeepney.new_signal(address, member, signature, body))

    def close(self) -> None:
        import socket

        self._bus.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._bus.close()

    def _serve(self) -> None:
        try:
            while True:
                message = self._bus.receive()
                if message.header.message_type is jeepney.MessageType.method_call:
                    self._answer(message)
        except (OSError, ValueError):
            return

    def _answer(self, call: Any) -> None:
        fields = jeepney.HeaderFields
        member = call.header.fields[fields.member]
        signature = call.header.fields.get(fields.signature, "")
        if member == "CreateSession" and signature == "a{sv}":
            (options,) = call.body
            assert options["session_handle_token"][0] == "s"
            self._respond(call, options, {"session_handle": ("s", SESSION)})
        elif member == "BindShortcuts" and signature == "oa(sa{sv})sa{sv}":
            session, self.bound, self.parent, options = call.body
            assert session == SESSION
            given = [(name, {"trigger_description": ("s", f"<{name}>")}) for name, _ in self.bound]
            self._respond(call, options, {"shortcuts": ("a(sa{sv})", given)})
        else:
            self._bus.send(jeepney.new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _respond(self, call: Any, options: dict[str, Any], results: dict[str, Any]) -> None:
        """The handle at once, the answer as a signal: at a path made of caller and token."""
        sender = call.header.fields[jeepney.HeaderFields.sender]
        token = options["handle_token"][1]
        handle = f"{PATH}/request/{sender[1:].replace('.', '_')}/{token}"
        self._bus.send(jeepney.new_method_return(call, "o", (handle,)))
        address = jeepney.DBusAddress(handle, interface=REQUEST)
        body = (0, results) if self.accepts else (1, {})
        self._bus.send(jeepney.new_signal(address, "Response", "ua{sv}", body))


class Ours:
    def __init__(self) -> None:
        self.pressed: SimpleQueue[str] = SimpleQueue()
        self.told: SimpleQueue[dict[str, str]] = SimpleQueue()
        self.keys = PortalKeys(WANTED, self.pressed.put, lambda found: self.told.put(dict(found)))


@pytest.fixture
def portal(bus: str) -> Iterator[Portal]:
    made = Portal()
    yield made
    made.close()


def test_keys_are_proposed_and_the_desktop_says_what_they_are(portal: Portal) -> None:
    ours = Ours()
    told = ours.told.get(timeout=60)
    assert told == {"captions": "<captions>", "bigger": "<bigger>", "mark": "<mark>"}
    assert portal.bound == [
        (
            "captions",
            {
                "description": ("s", "Show or hide the captions"),
                "preferred_trigger": ("s", "CTRL+ALT+c"),
            },
        ),
        (
            "bigger",
            {"description": ("s", "Bigger text"), "preferred_trigger": ("s", "CTRL+ALT+plus")},
        ),
        ("mark", {"description": ("s", "Mark this place")}),
    ]
    assert portal.parent == ""
    ours.keys.close()


def test_a_press_is_told_and_a_change_is_followed(portal: Portal) -> None:
    ours = Ours()
    ours.told.get(timeout=60)
    other = "/org/freedesktop/portal/desktop/session/1_9/other"
    portal.emit("Activated", "osta{sv}", other, "mark", 5, {})
    portal.emit("Activated", "osta{sv}", SESSION, "captions", 6, {})
    assert ours.pressed.get(timeout=60) == "captions"
    changed = [("captions", {"trigger_description": ("s", "Meta+C")})]
    portal.emit("ShortcutsChanged", "oa(sa{sv})", SESSION, changed)
    assert ours.told.get(timeout=60) == {"captions": "Meta+C"}
    ours.keys.close()
    assert ours.pressed.empty()


def test_a_user_who_refuses_is_heard(bus: str) -> None:
    portal = Portal(accepts=False)
    ours = Ours()
    assert ours.told.get(timeout=60) == {}
    ours.keys.close()
    portal.close()


def test_a_desktop_without_the_portal_gives_none(bus: str) -> None:
    ours = Ours()
    assert ours.told.get(timeout=60) == {}
    ours.keys.close()


def test_without_a_bus_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("unix:path=/nowhere", "tcp:host=nowhere", "?"):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with pytest.raises(NoGlobalKeysError):
            Ours()


def test_keys_are_written_as_the_portal_reads_them() -> None:
    assert trigger(parse("Meta+Shift+PgUp")) == "SHIFT+LOGO+Page_Up"
    assert trigger(parse("Ctrl+Alt+-")) == "CTRL+ALT+minus"
    assert trigger(parse("F9")) == "F9"
