"""`SpeechModel` in PyTorch: slots, rows and batches around the pure steps of the network.

Turns work (slot, position, rows) into the integers and floats that a fixed-shape step reads, and
keeps what silence costs: the caches behind the left padding are computed once per delay and
copied. Knows nothing about audio, words or checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, LOOK_AHEAD_SAMPLES, SILENT_ROWS
from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS
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
from model_backends.voxtral.torch.graphs import Function, Step, Steps
from model_backends.voxtral.torch.kv_cache import KVCache, span, spans
from model_backends.voxtral.torch.model import Network, choose, decode, encode
from model_backends.voxtral.torch.ops import places_of

DRAFTS = (4, 8, 16, 32)  # lengths a reader's drafts have, see `reader.py`
_FED_BACK = -1  # as a token: the id this slot gave last, still on the device
_SCRATCH_ROW = ROWS_KEPT - 1  # in the block of silence, which holds 32 rows
_MEL_CONTEXT = 3

Inputs = tuple[NDArray[np.int64], NDArray[np.float32]]


class ModelRunner:
    """A network with its KV caches. Used from one thread."""

    def __init__(
        self, net: Network, tokens: Tekken, precision: str, slots: tuple[int, int] = (0, 0)
    ) -> None:
        """`slots`: encoder and decoder slots (powers of two) to hold at full length from the
        beginning; 0: caches grow with what is needed."""
        like = net.decoder_norm
        self.spec = net.spec
        self.precision = precision
        self._net: Network | None = net
        self._tokens = tokens
        self._device, self._dtype = like.device, like.dtype
        self.device = _device_name(like.device)
        self._steps = Steps(like.device)
        self._captures = like.device.type == "cuda"
        self._silent_keys: Tensor | None = None  # the encoder's, behind the silent rows
        self._silent_positions: dict[int, Tensor] = {}  # the decoder's, per delay
        with torch.inference_mode():
            enc, dec = net.spec.encoder, net.spec.decoder
            frames = FRAMES_PER_ROW * ENCODE_ROWS
            self.encoder_cache = KVCache(enc, frames, self._device, self._dtype, slots[0])
            self.decoder_cache = KVCache(dec, DECODE_ROWS, self._device, self._dtype, slots[1])
            encoders, decoders = self.encoder_cache.slots, self.decoder_cache.slots
            # Blocks of ROWS_KEPT: silence, then slot 0, ...
            self._rows = like.new_zeros(((1 + encoders) * ROWS_KEPT, dec.width))
            self._gains = like.new_zeros((dec.layers, decoders, dec.width))
            self._last = torch.zeros(decoders, dtype=torch.int64, device=self._device)
            self._encode_silence()

    @property
    def cache_bytes(self) -> int:
        """What the KV caches hold now."""
        return self.encoder_cache.size_bytes + self.decoder_cache.size_bytes

    @torch.inference_mode()
    def open_encoder(self, first_row: int = 0) -> int:
        with _explained():
            slot = self._open_encoder_slot(first_row)
        if first_row == 0 and self._silent_keys is not None:
            self.encoder_cache.write(slot, self._silent_keys)
        else:
            mel = MelStream(first_row=0).take(SILENT_ROWS)
            self.encode([EncodeWork(slot, first_row, mel)])
        return slot

    def close_encoder(self, slot: int) -> None:
        self.encoder_cache.close(slot)

    @torch.inference_mode()
    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        with _explained():
            slot = self._open_decoder_slot(delay_tokens, first_position)
        if first_position == 0 and delay_tokens in self._silent_positions:
            self.decoder_cache.write(slot, self._silent_positions[delay_tokens])
            return slot
        prompt = (self._tokens.bos, *(self._tokens.pad,) * (SILENT_ROWS - 1))
        rows = tuple((SILENCE, row) for row in range(SILENT_ROWS))
        self.decode([DecodeWork(slot, first_position, prompt, rows)])
        if first_position == 0:
            self._silent_positions[delay_tokens] = self.decoder_cache.read(slot, SILENT_ROWS)
        return slot

    def close_decoder(self, slot: int) -> None:
        self.decoder_cache.close(slot)

    @torch.inference_mode()
    def encode(self, work: Sequence[EncodeWork]) -> None:
        batch = {piece.slot: piece for piece in work if piece.rows == 1}
        with _explained():
            if batch:
                self._encode_batch(batch, 1)
            for piece in work:
                if piece.rows > 1:
                    self._encode_batch({piece.slot: piece}, piece.rows)

    @torch.inference_mode()
    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        with _explained():
            for piece in work:
                self.decoder_cache.reserve(piece.slot, piece.position + len(piece.rows))
        chains = [piece for piece in work if len(piece.tokens) == 1]
        answers = self._decode_chains(chains) if chains else {}
        for piece in work:
            if len(piece.tokens) > 1:
                answers[piece.slot] = self._decode_batch({piece.slot: piece}, 0, len(piece.rows))[0]
        return [_decoded(answers[piece.slot], len(piece.rows)) for piece in work]

    @torch.inference_mode()
    def capture(self, blocks: bool, bonuses: bool = False) -> None:
        """Capture every shape that live captions meet: single rows and steps of any slots; with
        `bonuses` for words that are expected, too, with `blocks` also those of a file. Only on
        CUDA; for the time of loading."""
        if not self._captures:
            return
        for start, count in spans(self.encoder_cache.slots):
            self._encoder_graph(start, count, 1).capture()
        for start, count in spans(self.decoder_cache.slots):
            self._decoder_graph(start, count, 1, 0).capture()
            if bonuses:
                self._decoder_graph(start, count, 1, MOST_BONUSES).capture()
        if blocks:
            self._encoder_graph(0, 1, ENCODE_ROWS).capture()
            for steps in DRAFTS:
                self._decoder_graph(0, 1, steps, 0).capture()

    def close(self) -> None:
        """Drop every tensor."""
        if self._net is None:
            return
        self._steps.clear()
        self._net = None
        self._silent_keys = None
        self._silent_positions.clear()
        del self.encoder_cache, self.decoder_cache, self._rows, self._gains
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    # Opening.

    def _encode_silence(self) -> None:
        """Compute what every stream begins with: 31 silent rows, and the 32nd for borrowers."""
        slot = self.open_encoder()
        silent_rows = self._block(slot)[:LEFT_PAD_ROWS]
        self._silent_keys = self.encoder_cache.read(slot, FRAMES_PER_ROW * SILENT_ROWS)
        mel = MelStream()
        mel.push(np.zeros(LOOK_AHEAD_SAMPLES, np.float32))
        self.encode([EncodeWork(slot, SILENT_ROWS, mel.take(1))])
        self._block(SILENCE)[:LEFT_PAD_ROWS] = silent_rows
        self.close_encoder(slot)

    def _open_encoder_slot(self, first_row: int) -> int:
        slot = self.encoder_cache.open(FRAMES_PER_ROW * first_row)
        self.encoder_cache.reserve(slot, FRAMES_PER_ROW * (first_row + SILENT_ROWS))
        if len(self._rows) < (self.encoder_cache.slots + 1) * ROWS_KEPT:
            grown = self._rows.new_zeros(((self.encoder_cache.slots + 1) * ROWS_KEPT, self._width))
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        return slot

    def _open_decoder_slot(self, delay_tokens: int, first_position: int) -> int:
        slot = self.decoder_cache.open(first_position)
        self.decoder_cache.reserve(slot, first_position + SILENT_ROWS)
        slots = self.decoder_cache.slots
        if self._gains.shape[1] < slots:
            old = self._gains
            self._gains = old.new_zeros((old.shape[0], slots, self._width))
            self._gains[:, : old.shape[1]] = old
            self._last = torch.zeros(slots, dtype=torch.int64, device=self._device)
        self._gains[:, slot] = self._network.ffn_gain(delay_tokens)
        return slot

    # Encoding.

    def _encode_batch(self, work: dict[int, EncodeWork], rows: int) -> None:
        """Rows of several slots; all pieces have the same number of rows."""
        for slot, piece in work.items():
            self.encoder_cache.reserve(slot, FRAMES_PER_ROW * (piece.row + rows))
        start, count = span(list(work), self.encoder_cache.slots)
        ints, floats = self._idle_encode(count, rows)
        for slot, piece in work.items():
            self._describe_encode(piece, ints[slot - start], floats[slot - start])
        self._encoder_graph(start, count, rows).run(ints, floats)

    def _encoder_graph(self, start: int, count: int, rows: int) -> Step:
        return self._steps.get(
            ("encode", start, count, rows),
            self._version,
            lambda: (
                self._encoder_step(start, count, rows),
                *self._idle_encode(count, rows),
            ),
        )

    def _idle_encode(self, count: int, rows: int) -> Inputs:
        """(B, 3 F + R) places and row addresses; (B, mel + 1 + F d) mel, keep flag and rope."""
        cache, frames = self.encoder_cache, FRAMES_PER_ROW * rows
        mel_size = (_MEL_CONTEXT + 2 * frames) * MEL_BINS
        ints = np.full((count, 3 * frames + rows), _SCRATCH_ROW, np.int64)
        ints[:, : 3 * frames] = cache.idle(frames).ravel()
        floats = np.zeros((count, mel_size + 1 + frames * cache.tower.head_dim), np.float32)
        floats[:, mel_size] = 1.0
        return ints, floats

    def _describe_encode(
        self, piece: EncodeWork, ints: NDArray[np.int64], floats: NDArray[np.float32]
    ) -> None:
        """Fill one slot's line of the inputs."""
        cache, rows = self.encoder_cache, piece.rows
        positions = FRAMES_PER_ROW * piece.row + np.arange(FRAMES_PER_ROW * rows)
        size = piece.mel.size
        ints[:-rows] = cache.places(piece.slot, positions).ravel()
        ints[-rows:] = [_address(piece.slot, piece.row + i) for i in range(rows)]
        floats[:size] = piece.mel.ravel()
        floats[size] = positions[0] != cache.first_position(piece.slot)
        floats[size + 1 :] = cache.rope(positions).ravel()

    def _encoder_step(self, start: int, count: int, rows: int) -> Function:
        net, dtype = self._network, self._dtype
        keys, values = self.encoder_cache.view(start, count)
        cells, frames, d = (
            self.encoder_cache.length,
            FRAMES_PER_ROW * rows,
            net.spec.encoder.head_dim,
        )
        mel_size = (_MEL_CONTEXT + 2 * frames) * MEL_BINS
        all_rows = self._rows

        def step(ints: Tensor, floats: Tensor) -> Tensor:
            mel = floats[:, :mel_size].view(count, -1, MEL_BINS).to(dtype)
            angles = floats[:, mel_size + 1 :].view(count, frames, d)
            places_ints = ints[:, : 3 * frames].view(count, frames, 3)
            places = places_of(net.spec.encoder, places_ints, angles, cells, dtype)
            _, made = encode(net, mel, floats[:, mel_size], places, keys, values)
            all_rows[ints[:, 3 * frames :].flatten()] = made.flatten(0, 1)
            return made

        return step

    # Decoding.

    def _decode_chains(self, chains: Sequence[DecodeWork]) -> dict[int, Tensor]:
        """Single steps of several slots, each fed its own last answer; one wait at the end."""
        work = {piece.slot: piece for piece in chains}
        longest = max(len(piece.rows) for piece in chains)
        start, _ = span(list(work), self.decoder_cache.slots)
        answers = [self._decode_batch(work, i, 1).clone() for i in range(longest)]
        together = torch.cat(answers, 1).cpu()  # (slots, longest, 3)
        return {slot: together[slot - start] for slot in work}

    def _decode_batch(self, work: dict[int, DecodeWork], skip: int, steps: int) -> Tensor:
        """`steps` positions of each piece after the first `skip`: (slots, steps, 3)."""
        start, count = span(list(work), self.decoder_cache.slots)
        padded = 1 << (steps - 1).bit_length() if self._captures else steps
        room = MOST_BONUSES if any(piece.bonuses for piece in work.values()) else 0
        ints, floats = self._idle_decode(count, padded, room)
        for slot, piece in work.items():
            if skip < len(piece.rows):
                self._describe_decode(piece, skip, steps, ints[slot - start], floats[slot - start])
        return self._decoder_graph(start, count, padded, room).run(ints, floats)[:, :steps]

    def _decoder_graph(self, start: int, count: int, padded: int, room: int) -> Step:
        return self._steps.get(
            ("decode", start, count, padded, room),
            self._version,
            lambda: (
                self._decoder_step(start, count, room),
                *self._idle_decode(count, padded, room),
            ),
        )

    def _idle_decode(self, count: int, padded: int, room: int) -> Inputs:
        """(B, T, 5 + room) token, row address, places, ids with a bonus; (B, T, d + 1 + room)
        rope, the bias of [P], bonuses."""
        ints = np.zeros((count, padded, 5 + room), np.int64)
        ints[:, :, 2:5] = self.decoder_cache.idle(padded)
        width = self.decoder_cache.tower.head_dim + 1 + room
        return ints, np.zeros((count, padded, width), np.float32)

    def _describe_decode(
        self,
        piece: DecodeWork,
        skip: int,
        steps: int,
        ints: NDArray[np.int64],
        floats: NDArray[np.float32],
    ) -> None:
        """Fill one slot's lines of the inputs."""
        cache = self.decoder_cache
        d = cache.tower.head_dim
        known = piece.tokens[skip : skip + steps]
        positions = piece.position + skip + np.arange(steps)
        ints[:steps, 0] = [*known, *(_FED_BACK,) * (steps - len(known))]
        ints[:steps, 1] = [_address(*row) for row in piece.rows[skip : skip + steps]]
        ints[:steps, 2:5] = cache.places(piece.slot, positions)
        floats[:steps, :d] = cache.rope(positions)
        floats[:steps, d] = piece.pad_bias
        for i, (token, bonus) in enumerate(piece.bonuses):
            ints[0, 5 + i], floats[0, d + 1 + i] = token, bonus

    def _decoder_step(self, start: int, count: int, room: int) -> Function:
        net, dtype, tower = self._network, self._dtype, self._network.spec.decoder
        keys, values = self.decoder_cache.view(start, count)
        cells, pad, eos = self.decoder_cache.length, self._tokens.pad, self._tokens.eos
        d = tower.head_dim
        part = slice(start, start + count)
        gains, last, all_rows = self._gains[:, part], self._last[part], self._rows

        def step(ints: Tensor, floats: Tensor) -> Tensor:
            tokens = torch.where(ints[..., 0] < 0, last[:, None], ints[..., 0])
            places = places_of(tower, ints[..., 2:5], floats[..., :d], cells, dtype)
            logits = decode(net, tokens, all_rows[ints[..., 1]], gains, places, keys, values)
            bonuses = (ints[:, 0, 5:], floats[:, 0, d + 1 :]) if room else None
            answer = choose(logits, floats[..., d], pad, eos, bonuses)
            active = ints[:, -1, 2] != cells - 1  # an idle slot writes to the scratch cell
            last.copy_(torch.where(active, answer[:, -1, 0].long(), last))
            return answer

        return step

    # What moves when slots or caches grow.

    @property
    def _version(self) -> tuple[int, int, int]:
        return self.encoder_cache.version, self.decoder_cache.version, len(self._rows)

    @property
    def _network(self) -> Network:
        if self._net is None:
            raise EngineError(Sentence("The model has been unloaded."))
        return self._net

    @property
    def _width(self) -> int:
        return self.spec.decoder.width

    def _block(self, slot: int) -> Tensor:
        """The kept rows of a slot, (ROWS_KEPT, D)."""
        return self._rows[_address(slot, 0) : _address(slot, 0) + ROWS_KEPT]


def _address(slot: int, row: int) -> int:
    return (slot + 1) * ROWS_KEPT + row % ROWS_KEPT


def _decoded(answers: Tensor, count: int) -> list[Decoded]:
    rows: list[list[float]] = answers[:count].tolist()
    return [Decoded(int(token), gap, logprob) for token, gap, logprob in rows]


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a lack of memory into a sentence."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EngineError(
            Sentence("The device has no memory left for this stream."),
            Sentence("Close other programs, use one delay, or load the model with fewer bits."),
        ) from error
