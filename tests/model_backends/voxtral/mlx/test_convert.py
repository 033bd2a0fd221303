"""Conversion: every bit width, from both 16-bit layouts, in bounded memory, all or nothing."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx

from model_backends.base import EngineError
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.mlx import convert as converter
from model_backends.voxtral.mlx import info as mlx_info
from model_backends.voxtral.mlx import weights as mlx_weights
from model_backends.voxtral.mlx.convert import convert
from model_backends.voxtral.mlx.weights import load_network
from tests.model_backends.voxtral.mlx import layouts
from tests.model_backends.voxtral.mlx.conftest import load
from tests.model_backends.voxtral.transcribing import TINY, clip, reference_text, transcribe


def quiet(fraction: float, what: str) -> None:
    assert 0.0 <= fraction <= 1.0


def arrays(folder: Path, bits: int | None = None) -> list[np.ndarray]:
    net = load_network(open_checkpoint(folder), mx.float32, bits, quiet)
    return [np.array(array) for array in net.arrays]


@pytest.mark.parametrize("bits", [16, 8, 6, 4])
def test_the_copy_holds_what_packing_in_memory_gives(tmp_path: Path, bits: int) -> None:
    """Block by block or at once, the groups are the same."""
    folder = tmp_path / "copy"
    convert(TINY, folder, bits, quiet, block_bytes=20_000)
    spec, tensors = layouts.tiny()
    whole = layouts.write(tmp_path / "whole", "mlx-audio", spec, tensors, bits, 64)
    for ours, expected in zip(arrays(folder), arrays(whole), strict=True):
        assert np.array_equal(ours, expected)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "whole"]


def test_both_sources_give_the_same_copy(tmp_path: Path) -> None:
    """Hugging Face's rows are put back in order, also where a block cuts a head."""
    spec, tensors = layouts.tiny()
    hf = layouts.write(tmp_path / "hf", "hf", spec, tensors)
    for source in (TINY, hf):
        convert(source, tmp_path / f"from-{source.name}", 6, quiet, block_bytes=5_000)
    copies = [tmp_path / f"from-{source.name}" / "model.safetensors" for source in (TINY, hf)]
    assert copies[0].read_bytes() == copies[1].read_bytes()


def test_shards_and_their_index(tmp_path: Path) -> None:
    folder = tmp_path / "sharded"
    convert(TINY, folder, 8, quiet, shard_bytes=700_000)
    files = sorted(folder.glob("*.safetensors"))
    assert len(files) > 3
    index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))
    assert set(index["weight_map"].values()) == {file.name for file in files}
    assert index["metadata"]["total_size"] == open_checkpoint(folder).size_bytes
    convert(TINY, tmp_path / "whole", 8, quiet)
    for ours, expected in zip(arrays(folder), arrays(tmp_path / "whole"), strict=True):
        assert np.array_equal(ours, expected)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_converted_model_still_hears(tmp_path: Path, bits: int) -> None:
    folder = tmp_path / "copy"
    convert(TINY, folder, bits, quiet, group_size=32)
    engine = load(folder)
    assert f"{bits} bits" in engine.model
    heard = transcribe(engine, clip("join_00"), 6, pieces=10**9, realtime=False)
    assert heard.text() == reference_text("join_00", 6)
    engine.close()


@pytest.mark.parametrize("layout", ["native", "hf"])
def test_memory_is_bounded_by_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """A tensor of 16 MB passes through in blocks of half a megabyte; so does the comparison with
    a copy of it as output head."""
    spec = layouts.RANDOM_SPEC
    tensors = layouts.random()
    wide = replace(spec, vocab=32_768)
    tensors["embedding.weight"] = mx.random.normal((wide.vocab, spec.decoder.width))
    source = layouts.write(tmp_path / "source", layout, wide, tensors)
    if layout == "hf":
        file = source / "model.safetensors"
        held = layouts.tensors_in(file)
        mx.save_safetensors(str(file), held | {"lm_head.weight": tensors["embedding.weight"]})
        del held
    monkeypatch.setattr(mlx_weights, "_COMPARED", 125_000)
    del tensors
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    convert(source, tmp_path / "copy", 4, quiet, block_bytes=500_000)
    assert mx.get_peak_memory() - before < 3_000_000
    assert mx.get_active_memory() - before < 100_000


@pytest.mark.parametrize("bits", [16, 4])
@pytest.mark.parametrize(("dtype", "kept"), [("float32", "BF16"), ("float16", "F16")])
def test_16_bits_mean_16_bits(tmp_path: Path, bits: int, dtype: str, kept: str) -> None:
    """A source in 32 bits is rounded; one in either kind of 16 bits stays what it is."""
    spec, tensors = layouts.tiny()
    stored = {name: tensor.astype(getattr(mx, dtype)) for name, tensor in tensors.items()}
    source = layouts.write(tmp_path / "source", "native", spec, stored)
    convert(source, tmp_path / "copy", bits, quiet)
    copy = open_checkpoint(tmp_path / "copy")
    assert {entry.dtype for entry in copy.plain.values()} == {kept}
    assert {packed.scales.dtype for packed in copy.packed.values()} <= {kept}
    assert bool(copy.packed) == (bits < 16)


def test_an_output_head_of_its_own_is_refused(tmp_path: Path) -> None:
    spec, tensors = layouts.tiny()
    source = layouts.write(tmp_path / "source", "hf", spec, tensors)
    file = source / "model.safetensors"
    held = layouts.tensors_in(file)
    mx.save_safetensors(str(file), held | {"lm_head.weight": tensors["embedding.weight"] * 2})
    with pytest.raises(EngineError, match="lm_head"):
        convert(source, tmp_path / "copy", 4, quiet)


def test_an_interrupted_conversion_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(TINY, tmp_path / "copy", 4, interrupted)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "copy.partial").mkdir()  # as after a power cut
    (tmp_path / "copy.partial" / "model.safetensors").write_bytes(b"half")
    convert(TINY, tmp_path / "copy", 4, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_at_no_moment_is_half_a_model_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is on the disk before the next is begun; the description comes last."""
    settle, found = converter._settle, []

    def look(stream: BinaryIO) -> None:
        settle(stream)
        found.append(mlx_info.checkpoints(tmp_path))
        for folder in found[-1]:
            open_checkpoint(folder)

    monkeypatch.setattr(converter, "_settle", look)
    convert(TINY, tmp_path / "copy", 4, quiet, shard_bytes=700_000)
    assert len(found) > 5
    assert not any(found[:-1])


def test_a_disk_that_fills_up_meanwhile_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(converter, "_write", full)
    with pytest.raises(EngineError, match="could not be written: No space left"):
        convert(TINY, tmp_path / "copy", 4, quiet)
    assert list(tmp_path.iterdir()) == []


def test_what_an_interrupted_conversion_left_is_not_counted_against_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "copy.partial"
    partial.mkdir()
    (partial / "model.safetensors").write_bytes(b"half")
    room = shutil.disk_usage(tmp_path)

    def usage(path: Path) -> object:
        return room._replace(free=1000 if partial.exists() else 10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    convert(TINY, tmp_path / "copy", 4, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """A folder of somebody's own that happens to be called so; a link to nowhere; a file."""
    mine = tmp_path / "copy.partial" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("mine", "utf-8")
    with pytest.raises(EngineError, match="in the way"):
        convert(TINY, tmp_path / "copy", 4, quiet)
    assert mine.read_text("utf-8") == "mine"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(EngineError, match="exists already"):
        convert(TINY, link, 4, quiet)
    with pytest.raises(EngineError, match="could not be written"):
        convert(TINY, mine / "copy", 4, quiet)


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tmp_path / "done"
    convert(TINY, done, 4, quiet)
    for source, target, bits, message in (
        (TINY, tmp_path / "new", 5, "5 bits"),
        (TINY, done, 4, "exists"),
        (TINY, Path(), 4, "exists"),  # which has no name
        (done, tmp_path / "new", 8, "packed into 4 bits already"),
        (tmp_path, tmp_path / "new", 4, "no model"),
    ):
        with pytest.raises(EngineError, match=message):
            convert(source, target, bits, quiet)
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(EngineError, match="free on that disk"):
        convert(TINY, tmp_path / "new", 4, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["done"]
