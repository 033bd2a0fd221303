"""A checkpoint folder: what it holds, whether that is sound, and where each tensor's bytes are.

Reads only headers, so a folder is judged in milliseconds, before a tensor library is imported.
Everything that is missing, too many, mis-shaped, of a strange type or cut short is refused by
the tensor's name. Only safetensors is read; nothing is ever unpickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from model_backends import on_disk
from model_backends.base import EngineError, Sentence
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.spec import ModelSpec, from_hf, from_params

_BYTES = {"BF16": 2, "F16": 2, "F32": 4}
_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own limit
_AGAIN = Sentence("Download the model again.")


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor in a file. `begin` and `end` are byte offsets in that file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that has passed every check. `tensors` is keyed by our names."""

    folder: Path
    layout: str  # one of tensor_names.LAYOUTS
    spec: ModelSpec
    tensors: Mapping[str, Entry]
    head: Entry | None  # an output head stored beside the embedding; must equal it

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tekken.json"

    @property
    def size_bytes(self) -> int:
        return sum(entry.end - entry.begin for entry in self.tensors.values())


def looks_like_checkpoint(folder: Path) -> bool:
    """Whether a folder is worth opening: a description and weights are there."""
    described = any(on_disk.is_file(folder / name) for name in ("params.json", "config.json"))
    return described and any(folder.glob("*.safetensors"))


def read_spec(folder: Path) -> ModelSpec:
    """The model's sizes. Raises EngineError if this is not Voxtral Realtime."""
    if on_disk.is_file(folder / "params.json"):
        return from_params(_json(folder / "params.json"))
    if on_disk.is_file(folder / "config.json"):
        return from_hf(_json(folder / "config.json"))
    raise EngineError(
        Sentence("{folder} holds no model: params.json or config.json is missing.", folder=folder),
        Sentence(
            "Choose the folder that holds params.json, consolidated.safetensors and tekken.json."
        ),
    )


def open_checkpoint(folder: Path) -> Checkpoint:
    """Find, read and check a checkpoint in the native or Hugging Face layout.

    Raises EngineError with the name of the first tensor or file that is wrong.
    """
    spec = read_spec(folder)
    everything = [entry for file in weight_files(folder) for entry in read_header(file)]
    entries = _by_name((entry.name, entry) for entry in everything)
    layout = tensor_names.layout_of(entries)
    if layout not in ("native", "hf"):
        raise EngineError(
            Sentence(
                "The weights in {name} are not in Mistral's or Hugging Face's layout.",
                name=folder.name,
            ),
            Sentence("Get Mistral’s: voxline models download voxtral. Or use the MLX engine."),
        )
    tidied = _by_name((tensor_names.tidy(name, layout), entry) for name, entry in entries.items())
    if not (folder / "tekken.json").is_file():
        missing = Sentence("{name} is missing from the model's folder.", name="tekken.json")
        raise EngineError(missing, _AGAIN)
    tensors = _match(tidied, spec, layout)
    _check_places(everything)
    return Checkpoint(
        folder=folder,
        layout=layout,
        spec=spec,
        tensors=tensors,
        head=tidied.get("lm_head.weight"),
    )


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights. Mistral's is preferred where both are there."""
    for index_name, pattern in (
        ("consolidated.safetensors.index.json", "consolidated*.safetensors"),
        ("model.safetensors.index.json", "model*.safetensors"),
    ):
        if (folder / index_name).is_file():
            return _indexed(folder, _json(folder / index_name))
        if found := sorted(folder.glob(pattern)):
            return found
    raise EngineError(
        Sentence("{folder} holds no weights.", folder=folder),
        "consolidated.safetensors (8.86 GB) is missing.",
    )


def read_header(file: Path) -> list[Entry]:
    """The tensors of one safetensors file. Raises EngineError naming what does not add up."""
    if not file.is_file():
        raise EngineError(
            Sentence("{name} is not a file, or leads nowhere.", name=file.name), _AGAIN
        )
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(_LONGEST_HEADER, size - 8):
            raise EngineError(
                Sentence("{name} is not a safetensors file, or was cut short.", name=file.name),
                _AGAIN,
            )
        try:
            header = json.loads(stream.read(length), object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            raise EngineError(
                Sentence("{name} has an unreadable header ({error}).", name=file.name, error=error),
                _AGAIN,
            ) from error
    if not isinstance(header, dict):
        raise EngineError(Sentence("{name} has an unreadable header.", name=file.name), _AGAIN)
    header.pop("__metadata__", None)
    return [_entry(name, fields, file, 8 + length, size) for name, fields in header.items()]


def _entry(name: str, fields: Any, file: Path, base: int, size: int) -> Entry:
    try:
        begin, end = (_whole(offset) for offset in fields["data_offsets"])
        shape = tuple(_whole(n) for n in fields["shape"])
        dtype = str(fields["dtype"])
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(
            Sentence("{file}: tensor {tensor} has no place or shape.", file=file.name, tensor=name),
            _AGAIN,
        ) from error
    if dtype in _BYTES and prod(shape) * _BYTES[dtype] != end - begin:
        raise EngineError(
            Sentence(
                "{file}: tensor {tensor} does not fill its place.", file=file.name, tensor=name
            ),
            _AGAIN,
        )
    if not 0 <= begin <= end or min(shape, default=0) < 0:
        raise EngineError(
            Sentence(
                "{file}: tensor {tensor} has an impossible place.", file=file.name, tensor=name
            ),
            _AGAIN,
        )
    if base + end > size:
        raise EngineError(
            Sentence(
                "{file} was cut short: tensor {tensor} is not all there.",
                file=file.name,
                tensor=name,
            ),
            _AGAIN,
        )
    return Entry(name, dtype, shape, file, base + begin, base + end)


def _whole(number: Any) -> int:
    if type(number) is not int:  # nor bool
        raise TypeError
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice} is there twice")
    return found


def _by_name(pairs: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for name, entry in pairs:
        if name in found:
            where = f"{found[name].file.name} and {entry.file.name}"
            raise EngineError(
                Sentence("The tensor {name} is there twice ({where}).", name=name, where=where),
                _AGAIN,
            )
        found[name] = entry
    return found


def _check_places(entries: Iterable[Entry]) -> None:
    """No two tensors of a file may share bytes, and no bytes may lie outside them."""
    before: Entry | None = None
    for entry in sorted(entries, key=lambda entry: (entry.file, entry.begin, entry.end)):
        if before is not None and before.file == entry.file:
            if entry.begin < before.end:
                raise EngineError(
                    Sentence(
                        "{file}: tensors {tensor} and {other} overlap.",
                        file=entry.file.name,
                        tensor=before.name,
                        other=entry.name,
                    ),
                    _AGAIN,
                )
            if entry.begin > before.end:
                raise EngineError(
                    Sentence(
                        "{file}: there are stray bytes before tensor {tensor}.",
                        file=entry.file.name,
                        tensor=entry.name,
                    ),
                    _AGAIN,
                )
        elif before is not None:
            _check_last(before)
        before = entry
    if before is not None:
        _check_last(before)


def _check_last(entry: Entry) -> None:
    if entry.end != entry.file.stat().st_size:
        raise EngineError(
            Sentence(
                "{file}: there are stray bytes after tensor {tensor}.",
                file=entry.file.name,
                tensor=entry.name,
            ),
            _AGAIN,
        )


def _match(found: dict[str, Entry], spec: ModelSpec, layout: str) -> dict[str, Entry]:
    """Entries under our names, every one present, none besides, each of the right shape."""
    wanted = tensor_names.file_names(spec, layout)
    shapes = tensor_names.shapes(spec)
    for ours, theirs in wanted.items():
        if theirs not in found:
            raise EngineError(
                Sentence("The weights lack the tensor {theirs}.", theirs=theirs), _AGAIN
            )
        entry = found[theirs]
        if entry.shape != shapes[ours]:
            raise EngineError(
                Sentence(
                    "Tensor {name} has shape {value}, not {wanted}.",
                    name=entry.name,
                    value=list(entry.shape),
                    wanted=list(shapes[ours]),
                ),
                Sentence("The weights and their description are not of the same model."),
            )
        if entry.dtype not in _BYTES:
            raise EngineError(
                Sentence("Tensor {name} is stored as {dtype}.", name=entry.name, dtype=entry.dtype),
                "16 or 32 bit floats are read.",
            )
    _refuse_strangers(found, set(wanted.values()), shapes["embedding.weight"])
    return {ours: found[theirs] for ours, theirs in wanted.items()}


def _refuse_strangers(
    found: dict[str, Entry], wanted: set[str], head_shape: tuple[int, ...]
) -> None:
    for name, entry in found.items():
        if name == "lm_head.weight" and entry.shape == head_shape:
            continue  # a copy of the embedding; the loader compares them
        if name not in wanted and not tensor_names.is_spare(name):
            raise EngineError(
                Sentence(
                    "The weights hold a tensor that Voxtral Realtime lacks: {name}.",
                    name=entry.name,
                ),
                Sentence("They belong to another model."),
            )


def _indexed(folder: Path, index: Mapping[str, Any]) -> list[Path]:
    """The shards that an index names; a shard must lie in the folder itself."""
    shards = index.get("weight_map")
    if not isinstance(shards, Mapping) or not shards:
        raise EngineError(Sentence("The index of the weights names no files."), _AGAIN)
    files = []
    for shard in sorted({str(file) for file in shards.values()}):
        file = folder / shard
        if file.parent != folder or not file.is_file():
            raise EngineError(Sentence("The weights lack the file {shard}.", shard=shard), _AGAIN)
        files.append(file)
    return files


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(
            Sentence("{name} cannot be read ({error}).", name=path.name, error=error), _AGAIN
        ) from error
    if not isinstance(content, Mapping):
        raise EngineError(Sentence("{name} is not a model's description.", name=path.name), _AGAIN)
    return content
