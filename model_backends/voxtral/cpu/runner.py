"""`SpeechModel` on a processor: slots, rows and batches around the library's two calls.

The C model keeps weights and KV caches; here are the slots, the latest adapter rows of each
encoder, and what silence costs: the caches behind the left padding are computed once per delay,
copied, and remembered for the next time the model is loaded. Knows nothing about audio, words or
files.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.cpu.kv_cache import NO_MEMORY, KvCache
from model_backends.voxtral.cpu.library import (
    Answer,
    DecodeEntry,
    EncodeEntry,
    Sizes,
    TowerSizes,
    address,
    library,
)
from model_backends.voxtral.cpu.packed_file import taken_by_the_library
from model_backends.voxtral.cpu.remembered import Remembered, digest
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import (
    LEFT_PAD_ROWS,
    LOOK_AHEAD_SAMPLES,
    SILENT_ROWS,
    delay_embedding,
)
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import (
    BONUS_REACH,
    DECODE_ROWS,
    ENCODE_ROWS,
    ROWS_KEPT,
    SILENCE,
    Decoded,
    DecodeWork,
    EncodeWork,
)
from model_backends.voxtral.tekken import Tekken

_ENCODER, _DECODER = 0, 1
Tensors = Mapping[str, NDArray[Any]]


class CpuSpeech:
    """A packed model with its caches. Used from one thread."""

    def __init__(
        self,
        spec: ModelSpec,
        tensors: Tensors,
        tokens: Tekken,
        *,
        threads: int = 1,
        kv_bits: int = 16,
        kernels: str = "",
        remembered: Remembered | None = None,
    ) -> None:
        """`tensors`: as `packed_file.packed_tensors` names and stores them; kept alive here.

        `kv_bits`: 16 or 8. `remembered`: findings that belong to these tensors and this computer.
        Raises EngineError if the library or memory is missing.
        """
        self.spec = spec
        self.kernels = kernel_name(kernels)
        self.precision = "int4" if kv_bits == 16 else "int4, int8 cache"
        self._remembered = remembered or Remembered(None, {})
        self._form = {"sizes": repr(spec), "kernels": self.kernels, "kv_bits": kv_bits}
        self._tensors: Tensors | None = tensors
        self._tokens = tokens
        self._model: int | None = _opened(spec, tensors, tokens, threads, kv_bits, kernels)
        self._threads = threads
        self.device = self._described()
        self._encoders: dict[int, KvCache] = {}
        self._decoders: dict[int, KvCache] = {}
        self._rows: dict[int, NDArray[np.float32]] = {}  # encoder slot -> (ROWS_KEPT, width)
        self._gains: dict[int, NDArray[np.float32]] = {}  # decoder slot -> (layers, padded width)
        self._silent_encoder: KvCache | None = None  # behind the silent rows
        self._silent_decoders: dict[int, KvCache] = {}  # per delay
        self.keep_logits = False  # tests and measuring: `logits` after each decode
        self.logits: list[NDArray[np.float32]] = []
        self._hear_silence()

    @property
    def pad(self) -> int:
        """The id that says nothing."""
        return self._tokens.pad

    @property
    def threads(self) -> int:
        return self._threads

    @threads.setter
    def threads(self, count: int) -> None:
        if library().vx_set_threads(self._handle, count) != 0:
            raise EngineError(*NO_MEMORY)
        self._threads = count
        self.device = self._described()

    def _described(self) -> str:
        plural = "" if self._threads == 1 else "s"
        return f"cpu ({self.kernels}, {self._threads} thread{plural})"

    @property
    def cache_bytes(self) -> int:
        """What the open slots' keys and values hold now."""
        return sum(kv.size_bytes for kv in (*self._encoders.values(), *self._decoders.values()))

    def open_encoder(self, first_row: int = 0) -> int:
        """See `SpeechModel.open_encoder`."""
        slot = _free(self._encoders)
        rows = np.zeros((ROWS_KEPT, self._width), np.float32)
        if first_row == 0 and self._silent_encoder is not None:
            kv = self._silent_encoder.copy(FRAMES_PER_ROW * SILENT_ROWS)
            rows[:SILENT_ROWS] = self._rows[SILENCE][:SILENT_ROWS]
        else:
            kv = self._new_kv(_ENCODER, FRAMES_PER_ROW * first_row)
        self._encoders[slot], self._rows[slot] = kv, rows
        if first_row != 0 or self._silent_encoder is None:
            self.encode([EncodeWork(slot, first_row, MelStream(first_row=0).take(SILENT_ROWS))])
        return slot

    def close_encoder(self, slot: int) -> None:
        """See `SpeechModel.close_encoder`."""
        self._encoders.pop(slot).close()
        del self._rows[slot]

    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        """See `SpeechModel.open_decoder`."""
        slot = _free(self._decoders)
        gains = self._ffn_gain(delay_tokens)
        if first_position == 0 and self._knows_silence(delay_tokens, gains):
            self._decoders[slot] = self._silent_decoders[delay_tokens].copy(SILENT_ROWS)
            self._gains[slot] = gains
            return slot
        self._decoders[slot] = self._new_kv(_DECODER, first_position)
        self._gains[slot] = gains
        rows = tuple((SILENCE, row) for row in range(SILENT_ROWS))
        self.decode([DecodeWork(slot, first_position, self._prompt, rows)])
        if first_position == 0:
            silent = self._decoders[slot].copy(SILENT_ROWS)
            self._silent_decoders[delay_tokens] = silent
            self._remembered.put("decoder", silent.stored(), **self._behind_decoder(gains))
        return slot

    def close_decoder(self, slot: int) -> None:
        """See `SpeechModel.close_decoder`."""
        self._decoders.pop(slot).close()
        del self._gains[slot]

    def encode(self, work: Sequence[EncodeWork]) -> None:
        """See `SpeechModel.encode`. Work of any sizes makes one batch."""
        entries = (EncodeEntry * len(work))()
        made = [np.empty((piece.rows, self._width), np.float32) for piece in work]
        mels = [np.ascontiguousarray(piece.mel, np.float32) for piece in work]
        for entry, piece, mel, out in zip(entries, work, mels, made, strict=True):
            entry.kv, entry.row, entry.rows = (
                self._encoders[piece.slot].handle,
                piece.row,
                piece.rows,
            )
            entry.mel, entry.out = address(mel), address(out)
        if library().vx_encode(self._handle, entries, len(work)) != 0:
            raise EngineError(*NO_MEMORY)
        for piece, out in zip(work, made, strict=True):
            places = np.arange(piece.row, piece.row + piece.rows) % ROWS_KEPT
            self._rows[piece.slot][places] = out

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        """See `SpeechModel.decode`. What is known goes at once, then a position a round."""
        answers: list[list[Decoded]] = [[] for _ in work]
        self.logits = []
        while unfinished := [i for i, p in enumerate(work) if len(answers[i]) < len(p.rows)]:
            batch = [(i, at) for i in unfinished for at in _next(work[i], len(answers[i]))]
            given = self._step([(work[i], at, answers[i]) for i, at in batch])
            for (i, _), answer in zip(batch, given, strict=True):
                answers[i].append(answer)
        return answers

    def close(self) -> None:
        """See `SpeechModel.close`."""
        if self._model is None:
            return
        for kv in (*self._encoders.values(), *self._decoders.values()):
            kv.close()
        library().vx_close(self._model)
        self._model = self._tensors = self._silent_encoder = None
        for slots in (self._encoders, self._decoders, self._rows, self._gains):
            slots.clear()
        self._silent_decoders.clear()

    def read_seconds(self, array: NDArray[Any]) -> float:
        """How long the model's threads take to read an array once; whole mebibytes of it."""
        return float(library().vx_read_seconds(self._handle, address(array), array.nbytes))

    def _step(self, batch: Sequence[tuple[DecodeWork, int, list[Decoded]]]) -> list[Decoded]:
        """One call of the library: (work, which of its positions, answers so far)."""
        entries, answers = (DecodeEntry * len(batch))(), (Answer * len(batch))()
        logits = self._room_for_logits(batch)
        for i, (entry, (piece, at, before)) in enumerate(zip(entries, batch, strict=True)):
            entry.kv = self._decoders[piece.slot].handle
            entry.position, entry.pad_bias = piece.position + at, piece.pad_bias
            entry.token = piece.tokens[at] if at < len(piece.tokens) else before[-1].token
            source, row = piece.rows[at]
            entry.row = address(self._rows[source][row % ROWS_KEPT])
            entry.gain = address(self._gains[piece.slot])
            entry.logits = None if logits is None else address(logits[i])
        if library().vx_decode(self._handle, entries, len(batch), answers) != 0:
            raise EngineError(*NO_MEMORY)
        found = [Decoded(a.token, a.gap, a.logprob) for a in answers]
        for i, (piece, _, _) in enumerate(batch):
            if piece.bonuses and logits is not None:
                own = logits[i, : self.spec.vocab]
                found[i] = _lifted(own, piece, self._tokens.pad, self._tokens.eos)
        return found

    def _room_for_logits(
        self, batch: Sequence[tuple[DecodeWork, int, list[Decoded]]]
    ) -> NDArray[np.float32] | None:
        """Where logits go, if anybody looks at them: hotwords do, and tests."""
        if not self.keep_logits and not any(piece.bonuses for piece, _, _ in batch):
            return None
        room = np.empty((len(batch), -(-self.spec.vocab // 16) * 16), np.float32)
        if self.keep_logits:
            self.logits.append(room[:, : self.spec.vocab])
        return room

    def _hear_silence(self) -> None:
        """Have what every stream begins with, remembered or computed: 31 silent rows, and the
        32nd for borrowers."""
        silent, last = MelStream(first_row=0).take(SILENT_ROWS), _mel_of_the_last_silent_row()
        follows_from = {**self._form, "mel": digest(silent, last)}
        data = self._remembered.get("encoder", **follows_from)
        if data is not None and self._takes_silence(data):
            return
        slot = self.open_encoder()
        self._silent_encoder = self._encoders[slot].copy(FRAMES_PER_ROW * SILENT_ROWS)
        self.encode([EncodeWork(slot, SILENT_ROWS, last)])
        rows = self._rows[SILENCE] = self._rows[slot][:LEFT_PAD_ROWS].copy()
        self.close_encoder(slot)
        both = (rows.view(np.uint8).ravel(), self._silent_encoder.stored())
        self._remembered.put("encoder", np.concatenate(both), **follows_from)

    def _takes_silence(self, data: NDArray[np.uint8]) -> bool:
        """Whether remembered bytes are adapter rows and an encoder's cache."""
        shape = (LEFT_PAD_ROWS, self._width)
        rows, cache = np.split(data, [4 * LEFT_PAD_ROWS * self._width])
        count = FRAMES_PER_ROW * SILENT_ROWS
        self._silent_encoder = KvCache.restored(self._handle, _ENCODER, count, cache)
        if self._silent_encoder is None:
            return False
        self._rows[SILENCE] = np.frombuffer(rows.tobytes(), np.float32).reshape(shape)
        return True

    def _knows_silence(self, delay_tokens: int, gains: NDArray[np.float32]) -> bool:
        """Whether the silence need not be decoded at this delay, as of now or from earlier."""
        if delay_tokens in self._silent_decoders:
            return True
        data = self._remembered.get("decoder", **self._behind_decoder(gains))
        if data is None:
            return False
        silent = KvCache.restored(self._handle, _DECODER, SILENT_ROWS, data)
        if silent is not None:
            self._silent_decoders[delay_tokens] = silent
        return silent is not None

    def _behind_decoder(self, gains: NDArray[np.float32]) -> dict[str, object]:
        """What the decoder's keys and values behind the silence follow from."""
        inputs = digest(gains, self._rows[SILENCE][:SILENT_ROWS], np.array(self._prompt))
        return {**self._form, "inputs": inputs}

    @property
    def _prompt(self) -> tuple[int, ...]:
        """Text inputs of the silent positions."""
        return (self._tokens.bos, *(self._tokens.pad,) * (SILENT_ROWS - 1))

    def _ffn_gain(self, delay_tokens: int) -> NDArray[np.float32]:
        """FFN norm weights with the delay's scale folded in: (layers, width padded to 32).

        gain = w * (1 + up(gelu(down(t)))), t the delay embedding.
        """
        assert self._tensors is not None
        width = self._width
        t = delay_embedding(delay_tokens, width)
        layers = self.spec.decoder.layers
        gains = np.zeros((layers, -(-width // 32) * 32), np.float32)
        for i in range(layers):
            prefix = f"decoder.layers.{i}."
            down = self._tensors[prefix + "ada.0.weight"][:, :width]
            up = self._tensors[prefix + "ada.1.weight"][:, : self.spec.delay_rank]
            inner = down @ t
            inner *= 0.5 * (1.0 + np.array([math.erf(x / math.sqrt(2.0)) for x in inner]))
            gains[i, :width] = self._tensors[prefix + "ffn_norm.weight"][0, :width]
            gains[i, :width] *= 1.0 + (up @ inner.astype(np.float32))
        return gains

    def _new_kv(self, tower: int, first_position: int) -> KvCache:
        return KvCache(library().vx_kv_new(self._handle, tower, first_position))

    @property
    def _handle(self) -> int:
        if self._model is None:
            raise EngineError(Sentence("The model has been unloaded."))
        return self._model

    @property
    def _width(self) -> int:
        return self.spec.decoder.width


def _mel_of_the_last_silent_row() -> NDArray[np.float32]:
    mel = MelStream()
    mel.push(np.zeros(LOOK_AHEAD_SAMPLES, np.float32))
    return mel.take(1)


def _lifted(logits: NDArray[np.float32], work: DecodeWork, pad: int, eos: int) -> Decoded:
    """The choice of one position with bonuses, from its logits (vocab,)."""
    adjusted = logits.copy()
    adjusted[eos] = -np.inf
    adjusted[pad] += work.pad_bias
    near = adjusted.max() - BONUS_REACH
    for token, bonus in work.bonuses:
        if adjusted[token] >= near:
            adjusted[token] += bonus
    token = int(adjusted.argmax())
    chosen, most = float(logits[token]), float(logits.max())
    together = most + float(np.log(np.exp(logits - most).sum(dtype=np.float64)))
    others = logits.copy()
    others[token] = -np.inf
    return Decoded(token, chosen - float(others.max()), chosen - together)


def _next(piece: DecodeWork, done: int) -> range:
    """The positions whose text input is known: those given, then the one after the last answer."""
    return range(done, max(len(piece.tokens), done + 1))


def _free(slots: Mapping[int, KvCache]) -> int:
    return next(i for i in range(len(slots) + 1) if i not in slots)


def kernel_name(wanted: str) -> str:
    """The kernels of that name, or the best here. Raises EngineError if there are none, or no
    library."""
    name = library().vx_kernel_name(wanted.encode())
    if name is None:
        raise EngineError(
            Sentence("This processor does not run the kernels “{wanted}”.", wanted=wanted)
        )
    return str(name.decode())


def _opened(
    spec: ModelSpec, tensors: Tensors, tokens: Tekken, threads: int, kv_bits: int, kernels: str
) -> int:
    taken = taken_by_the_library(spec)
    order = [None if name is None else address(tensors[name]) for name in taken]
    pointers = (ctypes.c_void_p * len(order))(*order)
    sizes = Sizes(vocab=spec.vocab, pad=tokens.pad, eos=tokens.eos, kv_bits=kv_bits)
    sizes.tower[_ENCODER] = _tower(spec.encoder, FRAMES_PER_ROW * ENCODE_ROWS)
    sizes.tower[_DECODER] = _tower(spec.decoder, DECODE_ROWS)
    model = library().vx_open(ctypes.byref(sizes), pointers, threads, kernels.encode())
    if not model:
        raise EngineError(Sentence("The model cannot be opened: memory or threads are short."))
    return int(model)


def _tower(tower: Tower, block: int) -> TowerSizes:
    return TowerSizes(
        tower.layers, tower.width, tower.heads, tower.kv_heads, tower.head_dim, tower.ffn,
        tower.window, block, tower.rope_theta, tower.norm_eps,
    )  # fmt: skip
