"""Keys by way of the desktop portal, on Wayland: the desktop asks the user, and keeps the keys.

What a program may propose is a name, a description and a key; which key it became, the desktop
says, and it alone can change it. org.freedesktop.portal.GlobalShortcuts, spoken over D-Bus with
jeepney (Qt's own D-Bus cannot write a list of structures from Python). Tried against a stand-in
on a real bus, not yet on a desktop.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any

from app.native.keys import Combination, NoGlobalKeysError

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

log = logging.getLogger(__name__)

_BUS_NAME, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_SHORTCUTS, _REQUEST = "org.freedesktop.portal.GlobalShortcuts", "org.freedesktop.portal.Request"
_REGISTRY = "org.freedesktop.host.portal.Registry"
_ACCEPTED = 0
_TOKEN = "handle_token"
_KEY_NAMES = {  # as xkbcommon names them: the portal's notation for keys
    "+": "plus", "-": "minus", "Space": "space", "PgUp": "Page_Up", "PgDown": "Page_Down",
    "Ins": "Insert", "Del": "Delete",
}  # fmt: skip


class PortalKeys:
    """Asks for `wanted` (name: description and preferred keys) in a thread of its own.

    `told(triggers)` is called from that thread with what the desktop says each key is, by name,
    and again when that changes; with an empty mapping if it gives none. `pressed(name)` as in
    `open_keys`. Raises NoGlobalKeysError where there is no session bus.
    """

    def __init__(
        self,
        wanted: Mapping[str, tuple[str, Combination | None]],
        pressed: Callable[[str], None],
        told: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._wanted, self._pressed, self._told = dict(wanted), pressed, told
        self._link = _session_bus()
        self._tokens = count(1)
        self._events: deque[Message] = deque()  # what comes while an answer is waited for
        self._session = ""
        self._closed = False
        self._thread = Thread(target=self._run, name="global keys", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The session ends with the connection, and its keys with the session."""
        self._closed = True
        try:
            self._link.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the bus has gone before
        self._thread.join()
        self._link.close()

    def _run(self) -> None:
        try:
            self._told(self._bind())
            while True:
                self._take(self._link.recv_until_filtered(self._events))
        except _RefusedError as refusal:
            log.info("the portal gives no keys: %s", refusal)
            self._told({})
        except (OSError, ValueError):  # ValueError: closed while it was selecting
            if not self._closed:
                log.warning("the portal's keys are lost", exc_info=True)
                self._told({})

    def _bind(self) -> dict[str, str]:
        """What the desktop has made of what was proposed. Asks the user, who may take long."""
        self._register()
        self._listen_to(_SHORTCUTS, self._events)
        made = self._ask(
            "CreateSession",
            "a{sv}",
            lambda token: ({**token, "session_handle_token": token[_TOKEN]},),
        )
        self._session = made["session_handle"][1]
        bound = self._ask("BindShortcuts", "oa(sa{sv})sa{sv}", self._proposal)
        return _triggers(bound["shortcuts"][1])

    def _proposal(self, token: dict[str, Any]) -> tuple[Any, ...]:
        shortcuts = []
        for name, (description, keys) in self._wanted.items():
            facts = {"description": ("s", description)}
            if keys:
                facts["preferred_trigger"] = ("s", trigger(keys))
            shortcuts.append((name, facts))
        return (self._session, shortcuts, "", token)

    def _register(self) -> None:
        """Say who we are, as nothing else tells it of a program that runs in no sandbox."""
        try:
            self._call(_REGISTRY, "Register", "sa{sv}", ("voxline", {}))
        except _RefusedError:
            pass  # an older portal, or we are not installed: it asks without a name

    def _listen_to(self, interface: str, into: deque[Message], path: str | None = None) -> None:
        from jeepney import MatchRule, message_bus

        rule = MatchRule(type="signal", interface=interface, path=path)
        self._link.filter(rule, queue=into).__enter__()  # for as long as the connection lasts
        self._link.send_and_get_reply(message_bus.AddMatch(rule))

    def _ask(
        self, method: str, signature: str, body: Callable[[dict[str, Any]], tuple[Any, ...]]
    ) -> dict[str, Any]:
        """Call, and wait for the answer, which comes as a signal at a path known before."""
        token = f"voxline{next(self._tokens)}"
        sender = str(self._link.unique_name)[1:].replace(".", "_")
        answers: deque[Message] = deque()
        self._listen_to(_REQUEST, answers, f"{_PATH}/request/{sender}/{token}")
        self._call(_SHORTCUTS, method, signature, body({_TOKEN: ("s", token)}))
        response, results = self._link.recv_until_filtered(answers).body
        if response != _ACCEPTED:
            raise _RefusedError(f"{method} was answered with {response}")
        return dict(results)

    def _call(self, interface: str, method: str, signature: str, body: tuple[Any, ...]) -> None:
        from jeepney import DBusAddress, MessageType, new_method_call

        address = DBusAddress(_PATH, bus_name=_BUS_NAME, interface=interface)
        answer = self._link.send_and_get_reply(new_method_call(address, method, signature, body))
        if answer.header.message_type is MessageType.error:
            raise _RefusedError(f"{method}: {answer.body}")

    def _take(self, signal: Message) -> None:
        from jeepney import HeaderFields

        member = signal.header.fields.get(HeaderFields.member)
        if signal.body[0] != self._session:
            return
        if member == "Activated":
            self._pressed(signal.body[1])
        elif member == "ShortcutsChanged":
            self._told(_triggers(signal.body[1]))


class _RefusedError(Exception):
    """By the portal, or by the user; or there is no such portal."""


def trigger(keys: Combination) -> str:
    """In the notation of the XDG shortcuts specification: "CTRL+ALT+c"."""
    held = [
        name
        for name, on in (
            ("CTRL", keys.control),
            ("ALT", keys.alt),
            ("SHIFT", keys.shift),
            ("LOGO", keys.meta),
        )
        if on
    ]
    key = keys.key.lower() if len(keys.key) == 1 else keys.key
    return "+".join([*held, _KEY_NAMES.get(keys.key, key)])


def _triggers(shortcuts: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Name: what the desktop calls its key."""
    return {name: str(facts.get("trigger_description", ("s", ""))[1]) for name, facts in shortcuts}


def _session_bus() -> DBusConnection:
    try:
        from jeepney.io.blocking import open_dbus_connection

        return open_dbus_connection("SESSION")
    except (ImportError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise NoGlobalKeysError from error
