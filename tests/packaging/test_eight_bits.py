"""A model in eight bits has the very integers that CTranslate2 makes of it; with a tiny Whisper of
random weights, and with the real one where it is."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import ctranslate2
import eight_bits
import numpy as np
import pytest
from ctranslate2.specs import WhisperSpec
from eight_bits import NotAModelError

from model_backends.embedded import store

WIDTH, HIDDEN, MELS, FRAMES, HEADS = 16, 64, 80, 100, 2
# the tokens by which CTranslate2 knows a multilingual Whisper, and a few more
TOKENS = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|startoflm|>"),
    *("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>", "a", "b", "c"),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper as CTranslate2 itself writes it in sixteen bits; one row of it is all nought."""
    return _written(tmp_path_factory.mktemp("published"), "float16")


@pytest.fixture(scope="module")
def carried(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in eight bits."""
    target = tmp_path_factory.mktemp("carried") / "model"
    eight_bits.convert(published, target, [path.name for path in published.iterdir()])
    return target


def _written(folder: Path, bits: str) -> Path:
    spec = WhisperSpec(2, HEADS, 2, HEADS)
    random = np.random.default_rng(7)
    for stack in (spec.encoder, spec.decoder):
        for layer in stack.layer:
            _fill_attention(layer.self_attention, random, 3)
            if stack is spec.decoder:
                _fill_attention(layer.attention, random, 1, 2)
            _fill(layer.ffn.linear_0, random, HIDDEN, WIDTH)
            _fill(layer.ffn.linear_1, random, WIDTH, HIDDEN)
            _fill_norm(layer.ffn.layer_norm)
        _fill_norm(stack.layer_norm)
    _fill(spec.encoder.conv1, random, WIDTH, MELS, 3)
    _fill(spec.encoder.conv2, random, WIDTH, WIDTH, 3)
    spec.encoder.position_encodings.encodings = _random(random, FRAMES // 2, WIDTH)
    spec.decoder.position_encodings.encodings = _random(random, 40, WIDTH)
    spec.decoder.embeddings.weight = _random(random, len(TOKENS), WIDTH)
    spec.decoder.embeddings.weight[3] = 0
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.register_vocabulary(TOKENS)
    spec.validate()
    spec.optimize(bits)
    spec.save(str(folder))
    return folder


def _fill_attention(attention: object, random: np.random.Generator, *outputs: int) -> None:
    """Its linear layers: what goes in, in one layer or two, and what comes out."""
    for linear, times in zip(attention.linear, (*outputs, 1), strict=True):  # type: ignore[attr-defined]
        _fill(linear, random, times * WIDTH, WIDTH)
    _fill_norm(attention.layer_norm)  # type: ignore[attr-defined]


def _fill(layer: object, random: np.random.Generator, *shape: int) -> None:
    layer.weight = _random(random, *shape)  # type: ignore[attr-defined]
    layer.bias = _random(random, shape[0])  # type: ignore[attr-defined]


def _fill_norm(norm: object) -> None:
    norm.gamma = np.ones(WIDTH, np.float32)  # type: ignore[attr-defined]
    norm.beta = np.zeros(WIDTH, np.float32)  # type: ignore[attr-defined]


def _random(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers that sixteen bits hold exactly."""
    return random.normal(0, 0.3, shape).astype(np.float16).astype(np.float32)


def variables(folder: Path) -> dict[str, eight_bits.Variable]:
    return {each.name: each for each in eight_bits.read(folder / "model.bin").variables}


def heard(folder: Path) -> tuple[bytes, bytes]:
    """What the encoder makes of a noise, and each token's likelihood after it, to the last bit."""
    model = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=1)
    noise = np.random.default_rng(1).normal(0, 1, (1, MELS, FRAMES)).astype(np.float32)
    states = model.encode(ctranslate2.StorageView.from_array(noise))
    prompt = [TOKENS.index("<|startoftranscript|>"), TOKENS.index("<|en|>")]
    found = model.generate(
        states, [prompt], beam_size=1, max_length=20, return_logits_vocab=True, suppress_blank=False
    )
    logits = b"".join(np.array(each).tobytes() for each in found[0].logits[0])
    return np.array(states).tobytes(), logits


def test_what_is_read_is_written_as_it_was(published: Path, tmp_path: Path) -> None:
    eight_bits.write(eight_bits.read(published / "model.bin"), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (published / "model.bin").read_bytes()


def test_the_same_model_gives_the_same_bytes(
    published: Path, carried: Path, tmp_path: Path
) -> None:
    names = ["config.json", "model.bin"]
    (tmp_path / "left over").touch()
    eight_bits.convert(published, tmp_path, names)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert all((tmp_path / name).read_bytes() == (carried / name).read_bytes() for name in names)


def test_the_integers_are_those_of_ctranslate2_s_own_conversion(
    carried: Path, tmp_path: Path
) -> None:
    """It, too, takes convolutions along, which its loader leaves alone on some computers."""
    theirs, ours = variables(_written(tmp_path, "int8")), variables(carried)
    weights = {name for name, each in ours.items() if each.kind == 1 and each.shape}
    assert "decoder/embeddings/weight" in weights
    assert len(weights) == 1 + 2 * 4 + 2 * 7  # embeddings, and of each layer
    for name in [*weights, *(f"{name}_scale" for name in weights)]:
        assert ours[name] == theirs[name]
    assert ours["encoder/conv1/weight"].kind == ours["encoder/layer_0/ffn/linear_0/bias"].kind == 4


def test_it_is_what_ctranslate2_makes_of_the_published_one(published: Path, carried: Path) -> None:
    states, likelihoods = heard(published)
    assert likelihoods
    assert heard(carried) == (states, likelihoods)


def test_halves_are_rounded_to_the_even_one() -> None:
    values = np.array([[127, 0.5, 1.5, -2.5], [0, 0, 0, 0]], np.float32)
    integers, scales = eight_bits.quantised(values, "a weight")
    assert integers.tolist() == [[127, 0, 2, -2], [0, 0, 0, 0]]
    assert scales.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda data: b"", "ends at byte 0"),
        (lambda data: data[: len(data) // 2], "in the middle"),
        (lambda data: data[:-1], "in the middle"),
        (lambda data: data + b"\0", "goes on after its end"),
        (lambda data: b"\7" + data[1:], "a layout that is not known: 7"),
        (lambda data: b"GGUF" + data[4:], "a layout that is not known"),
        (lambda data: data.replace(b"Spec\0", b"Spec!", 1), "No name ends"),
        (lambda data: data.replace(b"Spec\0", b"Sp\xff\0\0", 1), "is no name"),
        (lambda data: data.replace(struct.pack("<II", 16, 80), bytes(8), 1), "do not fit"),
    ],
)
def test_what_is_no_model_is_refused(
    published: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], why: str
) -> None:
    data = (published / "model.bin").read_bytes()
    spoiled = spoil(data)
    assert spoiled != data
    (tmp_path / "model.bin").write_bytes(spoiled)
    with pytest.raises(NotAModelError, match=why):
        eight_bits.read(tmp_path / "model.bin")


def test_a_model_without_weights_in_sixteen_bits_is_refused(carried: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAModelError, match="no weights in sixteen bits"):
        eight_bits.convert(carried, tmp_path / "again", ["model.bin"])


def test_weights_that_are_no_numbers_are_refused() -> None:
    values = np.array([[1, np.nan]], np.float32)
    with pytest.raises(NotAModelError, match="a weight is no table of numbers"):
        eight_bits.quantised(values, "a weight")


def test_the_real_weights_become_the_files_that_installers_are_known_to_carry(
    weights_dir: Path, tmp_path: Path
) -> None:
    known = store.MODELS["base"].bundled_sha256
    eight_bits.convert(store.folder("base", weights_dir), tmp_path, known)
    assert store.check(tmp_path, known) == []
    assert (tmp_path / "model.bin").stat().st_size == 75_104_236
