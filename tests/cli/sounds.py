"""Sound files for tests, good and bad, made on the fly."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hertz: float = 440.0) -> np.ndarray[Any, Any]:
    """A sine at 0.3 of full scale, float32."""
    times = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray[Any, Any], rate: int = RATE) -> Path:
    """A WAV file of (samples,) or (samples, channels): float32, or int16 if given int16."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    width, kind = (2, 1) if samples.dtype == np.int16 else (4, 3)
    data = samples.astype("<i2" if kind == 1 else "<f4").tobytes()
    form = struct.pack(
        "<HHIIHH", kind, channels, rate, rate * channels * width, channels * width, 8 * width
    )
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def write_media(
    path: Path,
    sound: np.ndarray[Any, Any] | None,
    *,
    video: bool = False,
    codec: str = "aac",
    late_s: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """An encoded file: `sound` at 48 kHz stereo from `late_s` on, and 3 s of black if `video`.

    `options` are the muxer's.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        picture = container.add_stream("mpeg4", rate=25) if video else None
        audio = None
        if sound is not None:
            audio = container.add_stream(codec, rate=48_000, layout="stereo")
        if picture is not None:
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
            _write_black(container, picture)
        if audio is not None and sound is not None:
            _write_sound(container, audio, sound, round(late_s * 48_000))
    return path


def write_tracks(path: Path, tracks: dict[str, np.ndarray[Any, Any]]) -> Path:
    """A Matroska file with an audio track a language, each at 48 kHz stereo."""
    with av.open(str(path), "w") as container:
        streams = []
        for language in tracks:
            stream = container.add_stream("flac", rate=48_000, layout="stereo")
            stream.metadata["language"] = language
            streams.append(stream)
        for stream, sound in zip(streams, tracks.values(), strict=True):
            _write_sound(container, stream, sound, 0)
    return path


def _write_black(container: Any, stream: Any) -> None:
    for _ in range(75):
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_sound(container: Any, stream: Any, sound: np.ndarray[Any, Any], start: int) -> None:
    for at in range(0, len(sound) - 1023, 1024):
        piece = np.stack([sound[at : at + 1024]] * 2)
        if stream.codec_context.name in ("flac", "mp2"):  # which take whole numbers only
            whole = (piece.T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="stereo")
        else:
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        frame.rate, frame.pts, frame.time_base = 48_000, start + at, Fraction(1, 48_000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def cut(path: Path, part: float) -> Path:
    """The first part of a file, as a new file beside it."""
    data = path.read_bytes()
    short = path.with_name(f"cut-{path.name}")
    short.write_bytes(data[: round(len(data) * part)])
    return short
