"""Voice activity detectors: 512 samples (32 ms at 16 kHz) in, the probability of speech out.

`SileroVad` is the default: accurate in noise and music at 0.5 % of a core. `WebRtcVad` is the
light one, and what is left when onnxruntime cannot be loaded. Turning scores into utterances is
the segmenter's business.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.paths import resource
from model_backends.base import SAMPLE_RATE, Pcm

FRAME = 512  # samples; the only block size Silero 5+ takes at 16 kHz
FRAME_MS = FRAME * 1000 // SAMPLE_RATE


class Vad(Protocol):
    """A detector with memory: feed it one lane's frames in order."""

    def score(self, frame: Pcm) -> float:
        """Probability (0..1) of speech in `frame`, shape (512,), float32."""

    def reset(self) -> None:
        """Forget what was heard: the next frame does not follow from the last."""


class SileroVad:
    """Silero 6.2, the 16 kHz ONNX file (MIT), on one onnxruntime thread.

    The graph takes 64 samples of context before each frame and a (2, 1, 128) state.
    """

    _CONTEXT = 64

    def __init__(self) -> None:
        import onnxruntime

        # the second switch; the first is in the environment, before the import (app.privacy)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # warnings about graph constants mean nothing to a user
        self._session: Any = onnxruntime.InferenceSession(
            str(resource("silero/silero_vad_16k_op15.onnx")),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._rate = np.array(SAMPLE_RATE, dtype=np.int64)
        self.reset()

    def reset(self) -> None:
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._input: NDArray[np.float32] = np.zeros((1, self._CONTEXT + FRAME), dtype=np.float32)

    def score(self, frame: Pcm) -> float:
        self._input[:, : self._CONTEXT] = self._input[:, -self._CONTEXT :]
        self._input[:, self._CONTEXT :] = frame
        feeds = {"input": self._input, "state": self._state, "sr": self._rate}
        probability, self._state = self._session.run(None, feeds)
        return float(probability[0, 0])


class WebRtcVad:
    """WebRTC's detector at mode 2, over 10 ms pieces of the frame: almost free, fooled by music."""

    _PIECE = 160

    def __init__(self) -> None:
        import webrtcvad

        self._vad = webrtcvad.Vad(2)

    def reset(self) -> None:
        """It adapts to the noise by itself; there is nothing to forget."""

    def score(self, frame: Pcm) -> float:
        pcm = (np.clip(frame, -1, 1) * 32767).astype("<i2")
        pieces = [
            pcm[at : at + self._PIECE] for at in range(0, FRAME - self._PIECE + 1, self._PIECE)
        ]
        return float(np.mean([self._vad.is_speech(p.tobytes(), SAMPLE_RATE) for p in pieces]))


def make_vad(kind: str) -> Vad:
    """`silero` or `webrtc`. Raises ValueError for another kind, ImportError if it cannot load."""
    if kind == "silero":
        return SileroVad()
    if kind == "webrtc":
        return WebRtcVad()
    raise ValueError(f"no voice detector called {kind}")
