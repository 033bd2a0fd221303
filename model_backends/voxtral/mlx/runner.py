"""`SpeechModel` in MLX: slots, rows and batches around the pure steps of the network.

Turns work (slot, position, rows) into the small arrays that a step reads, and keeps what silence
costs: the caches behind the left padding are computed once per delay and copied. Work is handed
to the device with `async_eval` as soon as it is described: the encoder runs while Python writes
the decoder's step, and a chain of steps feeds each its own last id without coming back to the
host. Knows nothing about audio, words or checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import mlx.core as mx
import numpy as np

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.mlx.kv_cache import KVCache
from model_backends.voxtral.mlx.model import (
    Caches,
    LayerCache,
    Network,
    choose,
    decode,
    encode,
    places_of,
    predict,
)
from model_backends.voxtral.mlx.weights import or_explain
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, LOOK_AHEAD_SAMPLES, SILENT_ROWS
from model_backends.voxtral.spec import FRAMES_PER_ROW, Tower
from model_backends.voxtral.speech_model import (
    DECODE_ROWS,
    ENCODE_ROWS,
    MOST_BONUSES,
    ROWS_KEPT,
    SILENCE,
    Decoded,
    DecodeWork,
    EncodeWork,
)
from model_backends.voxtral.tekken import Tekken

_start: Any = mx.async_eval
_NO_ROOM = Sentence("There is no memory left for this stream.")


@dataclass(slots=True)
class EncoderSlot:
    """One stream being encoded: its KV cache, and its latest adapter rows (ROWS_KEPT, D)."""

    cache: KVCache
    rows: mx.array


@dataclass(slots=True)
class DecoderSlot:
    """One reader: its KV cache, the gains of its delay (layers, D), its last id (scalar)."""

    cache: KVCache
    gains: mx.array
    last: mx.array


class ModelRunner:
    """A network with its KV caches. Used from one thread."""

    def __init__(
        self,
        net: Network,
        tokens: Tekken,
        precision: str,
        compiled: bool | None = None,
        full_length: bool = False,
    ) -> None:
        """`compiled`: trace each shape of a step once; by default on a GPU. (On a processor
        MLX would call a C++ compiler for every fused kernel.) `full_length`: KV caches never
        grow; what they hold no keys in yet is masked, and masked cells are not read."""
        self._full_length = full_length
        self.spec = net.spec
        self.precision = precision
        self.device = _device_name()
        self._net: Network | None = net
        self._tokens = tokens
        self._dtype = net.decoder_norm.dtype
        compiled = mx.metal.is_available() if compiled is None else compiled
        self._compile: Callable[[Any], Any] = mx.compile if compiled else _as_it_is
        (self._encode_step, self._decode_step, self._answer_step, self._lifted_step) = self._steps(
            net
        )
        self._encoders: dict[int, EncoderSlot] = {}
        self._decoders: dict[int, DecoderSlot] = {}
        self._silent_frames: list[LayerCache] = []  # the encoder's cache behind the silent rows
        self._silent_positions: dict[int, list[LayerCache]] = {}  # the decoder's, per delay
        self._silent_rows = self._encode_silence()

    @property
    def cache_bytes(self) -> int:
        """What the KV caches hold now."""
        caches = [slot.cache for slot in self._encoders.values()]
        caches += [slot.cache for slot in self._decoders.values()]
        return sum(cache.size_bytes for cache in caches)

    def open_encoder(self, first_row: int = 0) -> int:
        borrowed = self._silent_frames if first_row == 0 else []
        slot = _free(self._encoders)
        with _taking(self._encoders, slot):
            cache = self._cache(self.spec.encoder, FRAMES_PER_ROW * ENCODE_ROWS, borrowed)
            rows = mx.zeros((ROWS_KEPT, self.spec.decoder.width), self._dtype)
            mx.eval(rows)
            self._encoders[slot] = EncoderSlot(cache, rows)
            if not borrowed:
                cache.begin_at(FRAMES_PER_ROW * first_row)
                mel = MelStream(first_row=0).take(SILENT_ROWS)
                self.encode([EncodeWork(slot, first_row, mel)])
        return slot

    def close_encoder(self, slot: int) -> None:
        del self._encoders[slot]

    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        borrowed = self._silent_positions.get(delay_tokens, []) if first_position == 0 else []
        slot = _free(self._decoders)
        with _taking(self._decoders, slot):
            cache = self._cache(self.spec.decoder, DECODE_ROWS, borrowed)
            gains = self._network.ffn_gain(delay_tokens)
            mx.eval(gains)
            self._decoders[slot] = DecoderSlot(cache, gains, mx.array(self._tokens.pad))
            if not borrowed:
                cache.begin_at(first_position)
                self._read_prompt(slot, first_position)
            if first_position == 0 and not borrowed:
                self._silent_positions[delay_tokens] = cache.prefix(SILENT_ROWS)
        return slot

    def close_decoder(self, slot: int) -> None:
        del self._decoders[slot]

    def encode(self, work: Sequence[EncodeWork]) -> None:
        single = [piece for piece in work if piece.rows == 1]
        with or_explain(_NO_ROOM):
            if single:
                self._encode_batch(single)
            for piece in work:
                if piece.rows > 1:
                    self._encode_batch([piece])

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        answers: dict[int, list[mx.array]] = {piece.slot: [] for piece in work}
        chains = [piece for piece in work if len(piece.tokens) == 1]
        with or_explain(_NO_ROOM):
            for i in range(max((len(piece.rows) for piece in chains), default=0)):
                batch = [piece for piece in chains if i < len(piece.rows)]
                self._decode_batch(batch, i, 1, answers)
            for piece in work:
                if len(piece.tokens) > 1:
                    self._decode_batch([piece], 0, len(piece.rows), answers)
            return [_decoded(answers[piece.slot]) for piece in work]

    def close(self) -> None:
        """Drop every array and hand MLX's spare buffers back to the system."""
        self._net = None
        self._encode_step = self._decode_step = _unloaded
        self._answer_step = self._lifted_step = _unloaded
        self._encoders.clear()
        self._decoders.clear()
        self._silent_frames = []
        self._silent_positions.clear()
        self._silent_rows = mx.zeros(0)
        mx.clear_cache()

    # Opening.

    def _encode_silence(self) -> mx.array:
        """Compute what every stream begins with; returns rows 0..31, (32, D), for borrowers."""
        slot = self.open_encoder()
        self._silent_frames = self._encoders[slot].cache.prefix(FRAMES_PER_ROW * SILENT_ROWS)
        mel = MelStream()
        mel.push(np.zeros(LOOK_AHEAD_SAMPLES, np.float32))
        self.encode([EncodeWork(slot, SILENT_ROWS, mel.take(1))])
        rows = mx.contiguous(self._encoders[slot].rows[:LEFT_PAD_ROWS])
        mx.eval(rows)
        self.close_encoder(slot)
        return rows

    def _cache(self, tower: Tower, block: int, borrowed: list[LayerCache]) -> KVCache:
        return KVCache(tower, block, self._dtype, borrowed, self._full_length)

    def _read_prompt(self, slot: int, first_position: int) -> None:
        """Positions 0..30: silence. Nobody asks what the model says there."""
        prompt = (self._tokens.bos, *(self._tokens.pad,) * (SILENT_ROWS - 1))
        rows = tuple((SILENCE, row) for row in range(SILENT_ROWS))
        self._hidden([DecodeWork(slot, first_position, prompt, rows)], 0, SILENT_ROWS)
        mx.eval(self._decoders[slot].cache.layers)

    # Encoding.

    def _encode_batch(self, work: Sequence[EncodeWork]) -> None:
        """Rows of several slots; all pieces have the same number of rows."""
        slots = [self._encoders[piece.slot] for piece in work]
        frames, addresses = [], []
        for piece, slot in zip(work, slots, strict=True):
            positions = FRAMES_PER_ROW * piece.row + np.arange(FRAMES_PER_ROW * piece.rows)
            slot.cache.reserve(int(positions[-1]) + 1)
            frames.append(positions)
            addresses.append(mx.array((piece.row + np.arange(piece.rows)) % ROWS_KEPT))
        keep = [float(p[0] != s.cache.first_position) for p, s in zip(frames, slots, strict=True)]
        caches = [slot.cache for slot in slots]
        made, extended = self._encode_step(
            mx.array(np.stack([piece.mel for piece in work])),
            mx.array(keep),
            *_standing(caches, frames),
            [cache.layers for cache in caches],
        )
        for i, slot in enumerate(slots):
            slot.cache.layers = extended[i]
            slot.rows[addresses[i]] = made[i]
        _start(*[slot.rows for slot in slots])

    # Decoding.

    def _decode_batch(
        self,
        work: Sequence[DecodeWork],
        skip: int,
        steps: int,
        answers: dict[int, list[mx.array]],
    ) -> None:
        """`steps` positions of each piece after the first `skip`; appends (steps, 3) each."""
        hidden = self._hidden(work, skip, steps)
        bias = mx.array(
            np.repeat(np.array([[piece.pad_bias] for piece in work], np.float32), steps, 1)
        )
        if steps == 1 and any(piece.bonuses for piece in work):
            said = self._lifted_step(hidden, bias, *_bonuses(work))
        else:
            said = self._answer_step(hidden, bias)
        for i, piece in enumerate(work):
            self._decoders[piece.slot].last = said[i, -1, 0].astype(mx.int32)
            answers[piece.slot].append(said[i])
        _start(said, *[self._decoders[piece.slot].last for piece in work])

    def _hidden(self, work: Sequence[DecodeWork], skip: int, steps: int) -> mx.array:
        """Run the decoder's layers; output of the last one (B, T, D)."""
        slots = [self._decoders[piece.slot] for piece in work]
        positions = [piece.position + skip + np.arange(steps) for piece in work]
        for slot, places in zip(slots, positions, strict=True):
            slot.cache.reserve(int(places[-1]) + 1)
        caches = [slot.cache for slot in slots]
        audio = [self._audio(piece.rows[skip : skip + steps]) for piece in work]
        hidden, extended = self._decode_step(
            mx.stack([self._ids(piece, skip, steps) for piece in work]),
            mx.stack(audio),
            [slot.gains for slot in slots],
            *_standing(caches, positions),
            [cache.layers for cache in caches],
        )
        for cache, layers in zip(caches, extended, strict=True):
            cache.layers = layers
        result: mx.array = hidden
        return result

    def _ids(self, piece: DecodeWork, skip: int, steps: int) -> mx.array:
        """Text inputs (T,): given, or the id this slot gave last, still on the device."""
        known = piece.tokens[skip : skip + steps]
        if known:
            return mx.array(known, mx.int32)
        return self._decoders[piece.slot].last.reshape(1)

    def _audio(self, addresses: Sequence[tuple[int, int]]) -> mx.array:
        """The rows (T, D) that these positions read; neighbours of one source are read at once."""
        parts = []
        for source, run in groupby(addresses, key=lambda address: address[0]):
            rows = np.array([row for _, row in run])
            held = self._silent_rows if source == SILENCE else self._encoders[source].rows
            parts.append(held[mx.array(rows % len(held))])
        return parts[0] if len(parts) == 1 else mx.concatenate(parts)

    # The steps.

    def _steps(self, net: Network) -> tuple[Any, ...]:
        """The encoder's, the decoder's and the head's step, the last also with bonuses; traced
        where that is wanted."""
        pad, eos = self._tokens.pad, self._tokens.eos

        def encode_step(
            mel: mx.array, keep: mx.array, ints: mx.array, rope: mx.array, caches: Caches
        ) -> tuple[mx.array, Caches]:
            places = places_of(ints, rope, _lengths(caches))
            _, made, extended = encode(net, mel, keep, places, caches)
            return made, extended

        def decode_step(
            ids: mx.array,
            audio: mx.array,
            gains: list[mx.array],
            ints: mx.array,
            rope: mx.array,
            caches: Caches,
        ) -> tuple[mx.array, Caches]:
            places = places_of(ints, rope, _lengths(caches))
            return decode(net, ids, audio, gains, places, caches)

        def answer_step(hidden: mx.array, bias: mx.array) -> mx.array:
            return choose(predict(net, hidden), bias, pad, eos)

        def lifted_step(
            hidden: mx.array, bias: mx.array, ids: mx.array, bonus: mx.array
        ) -> mx.array:
            return choose(predict(net, hidden), bias, pad, eos, (ids, bonus))

        steps = (encode_step, decode_step, answer_step, lifted_step)
        return tuple(self._compile(step) for step in steps)

    @property
    def _network(self) -> Network:
        if self._net is None:
            raise EngineError(Sentence("The model has been unloaded."))
        return self._net


def _standing(caches: Sequence[KVCache], positions: Sequence[Any]) -> tuple[mx.array, mx.array]:
    """Places (B, T, 3) int32 and rope (B, T, d) float32 of each slot's positions."""
    places = [cache.places(at) for cache, at in zip(caches, positions, strict=True)]
    ropes = [cache.rope(at) for cache, at in zip(caches, positions, strict=True)]
    return mx.array(np.stack(places)), mx.array(np.stack(ropes))


def _lengths(caches: Caches) -> list[int]:
    return [layers[0][0].shape[1] for layers in caches]


@contextmanager
def _taking(slots: dict[int, Any], slot: int) -> Iterator[None]:
    """A slot is taken whole or not at all; a lack of memory becomes a sentence."""
    with or_explain(_NO_ROOM):
        try:
            yield
        except BaseException:
            slots.pop(slot, None)
            raise


def _free(slots: dict[int, Any]) -> int:
    """The lowest number that is not taken."""
    return next(i for i in range(len(slots) + 1) if i not in slots)


def _decoded(answers: Sequence[mx.array]) -> list[Decoded]:
    """Waits for the device: the one place where the loop does."""
    rows: Any = mx.concatenate(list(answers)).tolist()
    return [Decoded(int(token), gap, logprob) for token, gap, logprob in rows]


def _bonuses(work: Sequence[DecodeWork]) -> tuple[mx.array, mx.array]:
    """Ids (B, MOST_BONUSES) int32 and bonuses float32; the rest of a line adds 0 to id 0."""
    ids = np.zeros((len(work), MOST_BONUSES), np.int32)
    bonus = np.zeros((len(work), MOST_BONUSES), np.float32)
    for i, piece in enumerate(work):
        for j, (token, value) in enumerate(piece.bonuses):
            ids[i, j], bonus[i, j] = token, value
    return mx.array(ids), mx.array(bonus)


def _device_name() -> str:
    if not mx.metal.is_available():
        return "cpu"
    return f"gpu ({mx.device_info().get('device_name', 'Apple')})"


def _as_it_is(step: Any) -> Any:
    return step


def _unloaded(*_: Any) -> Any:
    raise EngineError(Sentence("The model has been unloaded."))
