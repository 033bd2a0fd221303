"""A recording of one source of a PulseAudio or PipeWire server, through the server's own library.

The library's thread calls us with sound; nothing here ever waits for the server but with a limit,
and closing does not wait for it at all. Sound comes at the source's own rate with all of its
channels, whatever they are called. Functions and numbers are those of <pulse/*.h>. Knows nothing
of lists of sources, or of what is said to people.
"""

from __future__ import annotations

import atexit
import ctypes
import logging
import threading
import weakref
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint8, c_uint32, c_void_p
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.base import Sentence

log = logging.getLogger(__name__)

_FLOAT32LE = 5
_NO_AUTOSPAWN = 1
_CONTEXT_READY, _CONTEXT_FAILED, _CONTEXT_OVER = 4, 5, 6
_STREAM_READY, _STREAM_FAILED, _STREAM_OVER = 2, 3, 4
_FLAGS = 0x2000  # ADJUST_LATENCY: blocks as long as asked for
_AS_THE_SOURCE = 0x80 | 0x100  # FIX_RATE, FIX_CHANNELS: the source's own
FIXED_RATE, FIXED_CHANNELS = 48_000, 2  # of a sink input's recording, whatever it plays on
_ANY = 0xFFFF_FFFF  # the server decides
_WAIT_S = 2.0
_NO_ENTITY = 5  # errors of the library: what they mean to us
_NO_SERVER = (6, 11, 13)  # connection refused, terminated, no server to find
_MOST_CHANNELS = 32

_NOTIFY = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
_REQUEST = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_void_p)

Samples = NDArray[np.float32]  # shape (frames, channels)


class RecordingError(Exception):
    """The server does not let us record, in its own words."""


class ServerGoneError(RecordingError):
    """There is no server, or it has ended."""


class NoSuchSourceError(RecordingError):
    """The server is there, and has no such source."""


class Spec(ctypes.Structure):
    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class Buffer(ctypes.Structure):
    _fields_ = tuple((n, c_uint32) for n in ("most", "target", "prebuffer", "request", "fragment"))


@cache
def _library() -> Any:
    """libpulse with its functions declared. Raises OSError where there is none."""
    pa = ctypes.CDLL("libpulse.so.0")
    pointers = (
        "threaded_mainloop_new threaded_mainloop_get_api context_new stream_new "
        "stream_get_sample_spec"
    )
    for name in pointers.split():
        getattr(pa, f"pa_{name}").restype = c_void_p
    for name in ("pa_strerror", "pa_stream_get_device_name"):
        getattr(pa, name).restype = c_char_p
    for name in ("context_set_state", "stream_set_state", "stream_set_moved"):
        getattr(pa, f"pa_{name}_callback").argtypes = (c_void_p, _NOTIFY, c_void_p)
    pa.pa_stream_set_monitor_stream.argtypes = (c_void_p, c_uint32)
    pa.pa_stream_get_index.restype = c_uint32
    pa.pa_stream_set_read_callback.argtypes = (c_void_p, _REQUEST, c_void_p)
    pa.pa_stream_get_sample_spec.restype = POINTER(Spec)
    pa.pa_context_new.argtypes = (c_void_p, c_char_p)
    pa.pa_context_connect.argtypes = (c_void_p, c_char_p, c_int, c_void_p)
    pa.pa_stream_new.argtypes = (c_void_p, c_char_p, POINTER(Spec), c_void_p)
    pa.pa_stream_connect_record.argtypes = (c_void_p, c_char_p, POINTER(Buffer), c_int)
    pa.pa_stream_peek.argtypes = (c_void_p, POINTER(c_void_p), POINTER(c_size_t))
    one = (
        "threaded_mainloop_start threaded_mainloop_stop threaded_mainloop_free "
        "threaded_mainloop_lock threaded_mainloop_unlock threaded_mainloop_get_api "
        "context_get_state context_errno context_disconnect context_unref stream_get_state "
        "stream_get_device_name stream_get_sample_spec stream_drop stream_disconnect stream_unref "
        "stream_get_index"
    )
    for name in one.split():
        getattr(pa, f"pa_{name}").argtypes = (c_void_p,)
    return pa


class Recording:
    """Sound from the moment it is made until `close()`.

    From the library's thread: `take` gets samples, float32 of shape (frames, channels);
    `ended` is called when the server (then `server_gone` is set), the source or the sink input has
    gone; `moved` gets the id of the source that the server connects us to, whenever it changes.
    """

    def __init__(
        self,
        source: str | None,
        block_s: float,
        take: Callable[[Samples], None],
        ended: Callable[[], None],
        moved: Callable[[str], None],
        input_index: int | None = None,
    ) -> None:
        """`input_index`: of a sink input, to hear that alone; then `source` is None.

        Raises RecordingError when the server refuses or does not answer within 4 s, OSError
        where there is no libpulse."""
        self._pa = _library()
        self._take, self._ended, self._moved = take, ended, moved
        self._input_index = input_index
        self.server_gone = False
        self._news = threading.Event()
        self._closing = threading.Lock()
        self._running = False  # until it is, an end is an error of this call
        self._stream: int | None = None
        self._pieces = bytearray()  # of the block that is being gathered
        self._block_bytes = 0
        # kept, or the library would call into freed memory
        self._on_state = _NOTIFY(self._state_changed)
        self._on_move = _NOTIFY(self._was_moved)
        self._on_sound = _REQUEST(self._read)
        self._loop: int | None = self._pa.pa_threaded_mainloop_new()
        api = self._pa.pa_threaded_mainloop_get_api(self._loop)
        self._context: int = self._pa.pa_context_new(api, b"Voxline")
        _open.add(self)
        try:
            self._connect()
            self.rate, self.channels = self._record(source.encode() if source else None, block_s)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop; waits for no server. A second time does nothing."""
        with self._closing:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        pa = self._pa
        self._running = False
        pa.pa_threaded_mainloop_lock(loop)
        if self._stream is not None:
            pa.pa_stream_disconnect(self._stream)
            pa.pa_stream_unref(self._stream)
        pa.pa_context_disconnect(self._context)
        pa.pa_context_unref(self._context)
        pa.pa_threaded_mainloop_unlock(loop)
        pa.pa_threaded_mainloop_stop(loop)
        pa.pa_threaded_mainloop_free(loop)
        _open.discard(self)

    # --- opening: in the caller's thread -----------------------------------------------------

    def _connect(self) -> None:
        pa = self._pa
        pa.pa_context_set_state_callback(self._context, self._on_state, None)
        if pa.pa_context_connect(self._context, None, _NO_AUTOSPAWN, None) < 0:
            raise self._refusal()
        pa.pa_threaded_mainloop_start(self._loop)
        self._wait(pa.pa_context_get_state, self._context, _CONTEXT_READY, _CONTEXT_FAILED)

    def _record(self, source: bytes | None, block_s: float) -> tuple[int, int]:
        """Begin; the rate (Hz) and the number of channels that the server gives us."""
        pa = self._pa
        wish = Spec(_FLOAT32LE, FIXED_RATE, FIXED_CHANNELS)
        flags = _FLAGS if self._input_index is not None else _FLAGS | _AS_THE_SOURCE
        pa.pa_threaded_mainloop_lock(self._loop)
        try:
            stream = self._stream = pa.pa_stream_new(self._context, b"Captions", byref(wish), None)
            if stream is None:
                raise self._refusal()
            pa.pa_stream_set_state_callback(stream, self._on_state, None)
            pa.pa_stream_set_moved_callback(stream, self._on_move, None)
            if self._input_index is not None:
                pa.pa_stream_set_monitor_stream(stream, self._input_index)
            fragment = (
                round(block_s * FIXED_RATE) * FIXED_CHANNELS * 4
            )  # of the wish; the server scales it
            buffer = Buffer(_ANY, _ANY, _ANY, _ANY, fragment)
            if pa.pa_stream_connect_record(stream, source, byref(buffer), flags) < 0:
                raise self._refusal()
        finally:
            pa.pa_threaded_mainloop_unlock(self._loop)
        self._wait(pa.pa_stream_get_state, stream, _STREAM_READY, _STREAM_FAILED)
        pa.pa_threaded_mainloop_lock(self._loop)
        try:
            spec = pa.pa_stream_get_sample_spec(stream).contents
            self.rate, self.channels = int(spec.rate), int(spec.channels)
            self._block_bytes = round(block_s * self.rate) * self.channels * 4
            self.index = int(pa.pa_stream_get_index(stream))  # of the source output
            self._running = True
            pa.pa_stream_set_read_callback(stream, self._on_sound, None)
        finally:
            pa.pa_threaded_mainloop_unlock(self._loop)
        return self.rate, self.channels

    def _wait(self, state_of: Callable[[Any], int], what: int, ready: int, failed: int) -> None:
        while True:
            self._news.clear()
            self._pa.pa_threaded_mainloop_lock(self._loop)
            state = state_of(what)
            self._pa.pa_threaded_mainloop_unlock(self._loop)
            if state == ready:
                return
            if state >= failed:
                raise self._refusal()
            if not self._news.wait(_WAIT_S):
                raise RecordingError(Sentence("the sound server does not answer"))

    def _refusal(self) -> RecordingError:
        number = self._pa.pa_context_errno(self._context)
        text = (self._pa.pa_strerror(number) or b"it is refused").decode(errors="replace")
        if number in _NO_SERVER:
            return ServerGoneError(text)
        return NoSuchSourceError(text) if number == _NO_ENTITY else RecordingError(text)

    # --- the library's thread -----------------------------------------------------------------

    def _state_changed(self, what: int, _nothing: int | None) -> None:
        self._news.set()
        if not self._running:
            return
        context = self._pa.pa_context_get_state(self._context)
        over = self.server_gone = context in (_CONTEXT_FAILED, _CONTEXT_OVER)
        over = over or self._pa.pa_stream_get_state(self._stream) in (_STREAM_FAILED, _STREAM_OVER)
        if over:
            self._hand_over()
            self._running = False
            self._ended()

    def _was_moved(self, stream: int, _nothing: int | None) -> None:
        name = self._pa.pa_stream_get_device_name(stream)
        if self._running and name:
            self._moved(name.decode(errors="replace"))

    def _read(self, stream: int, _bytes: int, _nothing: int | None) -> None:
        """Gather a block; servers cut one into pieces wherever a buffer of theirs ends, some of
        three frames, and each piece handed over would cost as much as a block."""
        data, length = c_void_p(), c_size_t()
        while self._pa.pa_stream_peek(stream, byref(data), byref(length)) >= 0 and length.value:
            if data.value is None:  # a hole: time has passed
                self._pieces += bytes(length.value)
            else:
                self._pieces += ctypes.string_at(data.value, length.value)
            self._pa.pa_stream_drop(stream)
            if len(self._pieces) >= self._block_bytes:
                self._hand_over()

    def _hand_over(self) -> None:
        sound, self._pieces = self._pieces, bytearray()
        if self._running and sound:
            self._take(np.frombuffer(sound, dtype="<f4").reshape(-1, self.channels))


_open: weakref.WeakSet[Recording] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """The library's threads must not call into an interpreter that has gone."""
    for recording in list(_open):
        recording.close()
