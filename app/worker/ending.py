"""How a worker came to its end, read from its exit status: for the log, and for the user.

Pure: a number in, sentences out. Knows nothing about processes or pipes.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from model_backends.base import Sentence

_CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS")

# Windows ends a process with an NTSTATUS: https://learn.microsoft.com/openspecs/windows_protocols
# /ms-erref/596a1078-e883-4972-9bbc-49e60bebca55
_NT_MEMORY = {
    0xC0000017: "STATUS_NO_MEMORY",
    0xC000009A: "STATUS_INSUFFICIENT_RESOURCES",
    0xC000012D: "STATUS_COMMITMENT_LIMIT",
}
_NT_CRASHES = {
    0xC0000005: "STATUS_ACCESS_VIOLATION",
    0xC0000006: "STATUS_IN_PAGE_ERROR",
    0xC000001D: "STATUS_ILLEGAL_INSTRUCTION",
    0xC0000094: "STATUS_INTEGER_DIVIDE_BY_ZERO",
    0xC00000FD: "STATUS_STACK_OVERFLOW",
    0xC0000374: "STATUS_HEAP_CORRUPTION",
    0xC0000409: "STATUS_STACK_BUFFER_OVERRUN",
    0xC06D007E: "a library that is missing",
    0x80000003: "STATUS_BREAKPOINT",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """`kind`: "killed", "crashed", "hung", "nonsense", "broken" (unreadable to us) or "ended";
    `detail` is for the log."""

    kind: str
    detail: str

    @property
    def sentence(self) -> Sentence:
        """What happened, for the user."""
        return _SENTENCES[self.kind]


_SENTENCES = {
    "killed": Sentence(
        "The system ended the speech engine, most likely because memory ran out; restarting."
    ),
    "crashed": Sentence("The speech engine crashed; restarting."),
    "hung": Sentence("The speech engine did not answer any more; it is being replaced."),
    "nonsense": Sentence("The speech engine answered with nonsense; it is being replaced."),
    "broken": Sentence("The connection to the speech engine broke; it is being replaced."),
    "ended": Sentence("The speech engine stopped; restarting."),
}


def read_ending(status: int, hung: str = "", fault: Ending | None = None) -> Ending:
    """What an exit status means, as `Popen.returncode` gives it (−n: signal n).

    `hung`, or a `fault` of kind "nonsense" or "broken", says why we ended it ourselves.
    """
    if hung:
        return Ending("hung", hung)
    if fault is not None:
        return fault
    if -65 < status < 0 or 128 < status < 160:  # a shell in between says 128 + n
        return _by_signal(-status if status < 0 else status - 128)
    return _by_nt_status(status & 0xFFFFFFFF)


def _by_signal(number: int) -> Ending:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name == "SIGKILL" or number == 9:
        return Ending("killed", "killed by SIGKILL, as the system does when memory runs out")
    if name in _CRASHES:
        return Ending("crashed", f"crashed with {name}")
    return Ending("ended", f"ended by {name}")


def _by_nt_status(status: int) -> Ending:
    if status in _NT_MEMORY:
        return Ending("killed", f"out of memory: {_NT_MEMORY[status]} (0x{status:08X})")
    if status in _NT_CRASHES:
        return Ending("crashed", f"crashed: {_NT_CRASHES[status]} (0x{status:08X})")
    return Ending("ended", f"ended with status {status}")
