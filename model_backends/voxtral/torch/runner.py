"""`verbs.SpeechModel` in PyTorch: slots, rows and batches around the pure steps of the network.

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

from model_backends.base import EngineError
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, LOOK_AHEAD_SAMPLES, SILENT_ROWS
from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS
from model_backends.voxtral.speech_model import (
    DECODE_ROWS,
    ENCODE_ROWS,
    ROWS_KEPT,
    SILENCE,
    Decoded,
    DecodeWork,
    EncodeWork,
)
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch.graphs import Function, Steps
from model_backends.voxtral.torch.kv_cache import Rings
from model_backends.voxtral.torch.model import Network, choose, decode, encode, places_of

_FED_BACK = -1  # as a token: the id this lane gave last, still on the device
_SCRATCH_ROW = ROWS_KEPT - 1  # in the block of silence, which holds 32 rows
_MEL_CONTEXT = 3


class TorchSpeech:
    """A network with its rings. Used from one thread."""

    def __init__(self, net: Network, tokens: Tekken, precision: str) -> None:
        like = net.decoder_norm
        self.spec = net.spec
        self.precision = precision
        self.least_rows = 1
        self._net: Network | None = net
        self._tokens = tokens
        self._device, self._dtype = like.device, like.dtype
        self.device = _device_name(like.device)
        self._steps = Steps(like.device)
        self._silent_keys: Tensor | None = None  # the encoder's, behind the silent rows
        self._silent_positions: dict[int, Tensor] = {}  # the decoder's, per delay
        with torch.inference_mode():
            enc, dec = net.spec.encoder, net.spec.decoder
            frames = FRAMES_PER_ROW * ENCODE_ROWS
            self.encoder_rings = Rings(enc, frames, self._device, self._dtype)
            self.decoder_rings = Rings(dec, DECODE_ROWS, self._device, self._dtype)
            self._rows = like.new_zeros((2 * ROWS_KEPT, dec.width))  # silence, then slot 0, ...
            self._gains = like.new_zeros((dec.layers, 1, dec.width))
            self._last = torch.zeros(1, dtype=torch.int64, device=self._device)
            self._hear_silence()

    @property
    def cache_bytes(self) -> int:
        """What the rings hold now."""
        return self.encoder_rings.size_bytes + self.decoder_rings.size_bytes

    @torch.inference_mode()
    def open_encoder(self, first_row: int = 0) -> int:
        with _explained():
            slot = self._open_encoder_slot(first_row)
        if first_row == 0 and self._silent_keys is not None:
            self.encoder_rings.write(slot, self._silent_keys)
        else:
            mel = MelStream(first_row=0).take(SILENT_ROWS)
            self.encode([EncodeWork(slot, first_row, mel)])
        return slot

    def close_encoder(self, slot: int) -> None:
        self.encoder_rings.close(slot)

    @torch.inference_mode()
    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        with _explained():
            slot = self._open_decoder_slot(delay_tokens, first_position)
        if first_position == 0 and delay_tokens in self._silent_positions:
            self.decoder_rings.write(slot, self._silent_positions[delay_tokens])
            return slot
        prompt = (self._tokens.bos, *(self._tokens.pad,) * (SILENT_ROWS - 1))
        rows = tuple((SILENCE, row) for row in range(SILENT_ROWS))
        self.decode([DecodeWork(slot, first_position, prompt, rows)])
        if first_position == 0:
            self._silent_positions[delay_tokens] = self.decoder_rings.read(slot, SILENT_ROWS)
        return slot

    def close_decoder(self, slot: int) -> None:
        self.decoder_rings.close(slot)

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
                self.decoder_rings.reserve(piece.slot, piece.position + len(piece.rows))
        chains = [piece for piece in work if len(piece.tokens) == 1]
        answers = self._decode_chains(chains) if chains else {}
        for piece in work:
            if len(piece.tokens) > 1:
                answers[piece.slot] = self._decode_batch({piece.slot: piece}, 0, len(piece.rows))[0]
        return [_decoded(answers[piece.slot], len(piece.rows)) for piece in work]

    def close(self) -> None:
        """Drop every tensor."""
        if self._net is None:
            return
        self._steps.clear()
        self._net = None
        self._silent_keys = None
        self._silent_positions.clear()
        del self.encoder_rings, self.decoder_rings, self._rows, self._gains
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    # Opening.

    def _hear_silence(self) -> None:
        """Compute what every stream begins with: 31 silent rows, and the 32nd for borrowers."""
        slot = self.open_encoder()
        silent_rows = self._block(slot)[:LEFT_PAD_ROWS]
        self._silent_keys = self.encoder_rings.read(slot, FRAMES_PER_ROW * SILENT_ROWS)
        mel = MelStream()
        mel.push(np.zeros(LOOK_AHEAD_SAMPLES, np.float32))
        self.encode([EncodeWork(slot, SILENT_ROWS, mel.take(1))])
        self._block(SILENCE)[:LEFT_PAD_ROWS] = silent_rows
        self.close_encoder(slot)

    def _open_encoder_slot(self, first_row: int) -> int:
        slot = self.encoder_rings.open(FRAMES_PER_ROW * first_row)
        self.encoder_rings.reserve(slot, FRAMES_PER_ROW * (first_row + SILENT_ROWS))
        if len(self._rows) < (self.encoder_rings.slots + 1) * ROWS_KEPT:
            grown = self._rows.new_zeros(((self.encoder_rings.slots + 1) * ROWS_KEPT, self._width))
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        return slot

    def _open_decoder_slot(self, delay_tokens: int, first_position: int) -> int:
        slot = self.decoder_rings.open(first_position)
        self.decoder_rings.reserve(slot, first_position + SILENT_ROWS)
        slots = self.decoder_rings.slots
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
            end = FRAMES_PER_ROW * (piece.row + rows)
            self.encoder_rings.reserve(slot, end)
        start, lanes = _span(list(work), self.encoder_rings.slots)
        inputs = [self._encode_inputs(work.get(start + lane), rows) for lane in range(lanes)]
        idle = [self._encode_inputs(None, rows)] * lanes
        step = self._steps.get(
            ("encode", start, lanes, rows),
            self._version,
            lambda: (self._encoder_step(start, lanes, rows), *_stacked(idle)),
        )
        step.run(*_stacked(inputs))

    def _encode_inputs(
        self, piece: EncodeWork | None, rows: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """One lane: places (F, 3) and row addresses (R,); mel, keep flag and rope, flattened."""
        rings, frames = self.encoder_rings, FRAMES_PER_ROW * rows
        if piece is None:
            mel = np.zeros((_MEL_CONTEXT + 2 * frames, MEL_BINS), np.float32)
            places, addresses = rings.idle(frames), np.full(rows, _SCRATCH_ROW)
            angles, keep = np.zeros((frames, rings.tower.head_dim), np.float32), 1.0
        else:
            positions = FRAMES_PER_ROW * piece.row + np.arange(frames)
            mel, angles = piece.mel, rings.rope(positions)
            places = rings.places(piece.slot, positions)
            addresses = np.array([_address(piece.slot, piece.row + i) for i in range(rows)])
            keep = float(positions[0] != rings.first_position(piece.slot))
        floats = np.concatenate([mel.ravel(), np.array([keep], np.float32), angles.ravel()])
        return np.concatenate([places.ravel(), addresses]), floats

    def _encoder_step(self, start: int, lanes: int, rows: int) -> Function:
        net, dtype = self._network, self._dtype
        keys, values = self.encoder_rings.view(start, lanes)
        slots, frames, d = (
            self.encoder_rings.length,
            FRAMES_PER_ROW * rows,
            net.spec.encoder.head_dim,
        )
        mel_size = (_MEL_CONTEXT + 2 * frames) * MEL_BINS
        all_rows = self._rows

        def step(ints: Tensor, floats: Tensor) -> Tensor:
            mel = floats[:, :mel_size].view(lanes, -1, MEL_BINS).to(dtype)
            angles = floats[:, mel_size + 1 :].view(lanes, frames, d)
            places_ints = ints[:, : 3 * frames].view(lanes, frames, 3)
            places = places_of(net.spec.encoder, places_ints, angles, slots, dtype)
            _, made = encode(net, mel, floats[:, mel_size], places, keys, values)
            all_rows[ints[:, 3 * frames :].flatten()] = made.flatten(0, 1)
            return made

        return step

    # Decoding.

    def _decode_chains(self, chains: Sequence[DecodeWork]) -> dict[int, Tensor]:
        """Single steps of several slots, each fed its own last answer; one wait at the end."""
        work = {piece.slot: piece for piece in chains}
        longest = max(len(piece.rows) for piece in chains)
        start, _ = _span(list(work), self.decoder_rings.slots)
        answers = [self._decode_batch(work, i, 1).clone() for i in range(longest)]
        together = torch.cat(answers, 1).cpu()  # (lanes, longest, 3)
        return {slot: together[slot - start] for slot in work}

    def _decode_batch(self, work: dict[int, DecodeWork], skip: int, steps: int) -> Tensor:
        """`steps` positions of each piece after the first `skip`: (lanes, steps, 3)."""
        start, lanes = _span(list(work), self.decoder_rings.slots)
        padded = steps if self._device.type != "cuda" else 1 << (steps - 1).bit_length()
        inputs = [
            self._decode_inputs(work.get(start + lane), skip, steps, padded)
            for lane in range(lanes)
        ]
        idle = [self._decode_inputs(None, 0, 0, padded)] * lanes
        step = self._steps.get(
            ("decode", start, lanes, padded),
            self._version,
            lambda: (self._decoder_step(start, lanes), *_stacked(idle)),
        )
        return step.run(*_stacked(inputs))[:, :steps]

    def _decode_inputs(
        self, piece: DecodeWork | None, skip: int, steps: int, padded: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """One lane: (T, 5) token, row address, places; (T, d + 1) rope and the bias of [P]."""
        rings = self.decoder_rings
        ints = np.zeros((padded, 5), np.int64)
        ints[:, 2:] = rings.idle(padded)
        floats = np.zeros((padded, rings.tower.head_dim + 1), np.float32)
        if piece is None or skip >= len(piece.rows):
            return ints, floats
        known = piece.tokens[skip : skip + steps]
        ints[:steps, 0] = [*known, *(_FED_BACK,) * (steps - len(known))]
        ints[:steps, 1] = [_address(*row) for row in piece.rows[skip : skip + steps]]
        positions = piece.position + skip + np.arange(steps)
        ints[:steps, 2:] = rings.places(piece.slot, positions)
        floats[:steps, :-1] = rings.rope(positions)
        floats[:steps, -1] = piece.pad_bias
        return ints, floats

    def _decoder_step(self, start: int, lanes: int) -> Function:
        net, dtype, tower = self._network, self._dtype, self._network.spec.decoder
        keys, values = self.decoder_rings.view(start, lanes)
        slots, pad, eos = self.decoder_rings.length, self._tokens.pad, self._tokens.eos
        part = slice(start, start + lanes)
        gains, last, all_rows = self._gains[:, part], self._last[part], self._rows

        def step(ints: Tensor, floats: Tensor) -> Tensor:
            tokens = torch.where(ints[..., 0] < 0, last[:, None], ints[..., 0])
            places = places_of(tower, ints[..., 2:], floats[..., :-1], slots, dtype)
            logits = decode(net, tokens, all_rows[ints[..., 1]], gains, places, keys, values)
            answer = choose(logits, floats[..., -1], pad, eos)
            active = ints[:, -1, 2] != slots - 1  # an idle lane writes to the scratch slot
            last.copy_(torch.where(active, answer[:, -1, 0].long(), last))
            return answer

        return step

    # What moves when slots or rings grow.

    @property
    def _version(self) -> tuple[int, int, int]:
        return self.encoder_rings.version, self.decoder_rings.version, len(self._rows)

    @property
    def _network(self) -> Network:
        if self._net is None:
            raise EngineError("The model has been unloaded.")
        return self._net

    @property
    def _width(self) -> int:
        return self.spec.decoder.width

    def _block(self, slot: int) -> Tensor:
        """The row ring of a slot, (ROWS_KEPT, D)."""
        return self._rows[_address(slot, 0) : _address(slot, 0) + ROWS_KEPT]


def _address(slot: int, row: int) -> int:
    return (slot + 1) * ROWS_KEPT + row % ROWS_KEPT


def _span(slots: Sequence[int], total: int) -> tuple[int, int]:
    """(first, count) of the smallest power-of-two run of slots that holds all of `slots`."""
    lanes = 1 << (max(slots) - min(slots)).bit_length()
    return min(min(slots), total - lanes), lanes


def _stacked(
    lanes: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return np.stack([ints for ints, _ in lanes]), np.stack([floats for _, floats in lanes])


def _decoded(answers: Tensor, count: int) -> list[Decoded]:
    rows: list[list[float]] = answers[:count].tolist()
    return [Decoded(int(token), int(natural), margin) for token, natural, margin in rows]


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
            "The device has no memory left for this stream.",
            "Close other programs, use one delay, or load the model with fewer bits.",
        ) from error
