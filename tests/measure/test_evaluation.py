"""Scores: word errors after normalising, latency against known ends; manifests good and bad."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import main
from app.measure.evaluation import (
    Clip,
    Errors,
    ManifestError,
    ScoringUnavailable,
    Segment,
    check_can_score,
    latencies_ms,
    normalizer,
    percentile,
    read_manifest,
    sound_end_ms,
    word_errors,
)
from model_backends.base import Word
from tests.cli.sounds import tone, write_wav


def errors(reference: str, hypothesis: str, language: str = "en", subset: str = "") -> Errors:
    return word_errors(reference, hypothesis, normalizer(language, subset))


# --- word errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("mister hale said he's late", "Mr. Hale said: he is late!"),
        ("twenty three colours", "23 colors"),
        ("um well okay", "Well, okay."),
    ],
)
def test_another_spelling_is_no_error(reference: str, hypothesis: str) -> None:
    assert errors(reference, hypothesis).rate == 0.0


def test_each_kind_of_error_is_counted() -> None:
    assert errors("the cat sat on the mat", "the bat sat the mat now") == Errors(6, 1, 1, 1)
    assert errors("the cat sat on the mat", "the bat sat the mat now").rate == pytest.approx(0.5)


def test_silence_against_words_and_words_against_silence() -> None:
    assert errors("three words here", "") == Errors(3, 0, 3, 0)
    assert errors("", "invented words") == Errors(0, 0, 0, 2)
    assert errors("", "").rate is None


def test_errors_of_many_clips_weigh_each_word_alike() -> None:
    total = sum([Errors(10, 1, 0, 0), Errors(90, 0, 0, 0)], Errors())
    assert total.rate == pytest.approx(0.01)


def test_spoken_digits_are_taken_apart_again() -> None:
    assert errors("one two three", "123", subset="digits") == Errors(3, 0, 0, 0)
    assert errors("one two three", "1 2", subset="digits").deleted == 1


@pytest.mark.parametrize(
    ("language", "reference", "hypothesis", "words"),
    [("de", "Ein Hund, ja!", "ein hund ja", 3), ("ja", "東京です。", "東京 です", 4)],
)
def test_other_languages(language: str, reference: str, hypothesis: str, words: int) -> None:
    assert errors(reference, hypothesis, language) == Errors(words)


# --- latency -----------------------------------------------------------------------------------


def said(*words: str) -> list[Word]:
    return [Word("file1", 0, 0, text, 0, 0) for text in words]


def test_latency_is_of_the_last_word_of_each_segment() -> None:
    segments = (Segment(0, 1000, "Good morning."), Segment(1500, 3000, "How are you?"))
    clip = Clip(Path("a"), "Good morning. How are you?", "en", "long", segments)
    words = said(" Good", " morning.", " How", " are", " you?")
    assert latencies_ms(clip, 9999, words, [900, 1800, 2500, 3500, 4100]) == [800, 1100]


def test_a_word_that_was_not_heard_right_has_no_latency() -> None:
    segments = (Segment(0, 1000, "good morning"), Segment(1500, 3000, "good night"))
    clip = Clip(Path("a"), "", "en", "long", segments)
    words = said(" good", " warning", " good", " night")
    assert latencies_ms(clip, 9999, words, [900, 1800, 2500, 3500]) == [500]


def test_without_segments_the_clips_end_is_the_last_words() -> None:
    clip = Clip(Path("a"), "ask not", "en", "real-en")
    assert latencies_ms(clip, 2000, said(" Ask", " not."), [1500, 2600]) == [600]
    assert latencies_ms(clip, 2000, [], []) == []


def test_a_clips_end_is_where_its_sound_ends(tmp_path: Path) -> None:
    sound = np.concatenate([tone(1.0), tone(0.5) * 0.001])
    assert sound_end_ms(write_wav(tmp_path / "a.wav", sound)) == pytest.approx(1000, abs=20)


def test_percentiles() -> None:
    assert percentile(list(range(101)), 95) == 95
    assert percentile([], 50) is None


# --- manifests ---------------------------------------------------------------------------------


def manifest(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "manifest.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_manifests_clips_lie_beside_it(tmp_path: Path) -> None:
    segment = {"start": 0.5, "end": 1.25, "text": "hi", "speaker": "a"}
    row = {"file": "x/a.flac", "text": "hi", "language": "de", "subset": "s", "segments": [segment]}
    clips = read_manifest(manifest(tmp_path, row, "", {"file": "b.flac", "text": ""}))
    assert clips == [
        Clip(tmp_path / "x/a.flac", "hi", "de", "s", (Segment(500, 1250, "hi"),)),
        Clip(tmp_path / "b.flac", "", "en", "all"),
    ]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["not json"], "Line 1"),
        (['{"file": "a", "text": ""}', "", '{"file": "a"}'], "Line 3"),
        (["[1, 2]"], "Line 1"),
        (['{"file": "a", "text": "", "segments": [{"start": 1}]}'], "Line 1"),
        ([""], "names no clips"),
    ],
)
def test_a_bad_manifest_names_the_line(tmp_path: Path, lines: list[str], sentence: str) -> None:
    with pytest.raises(ManifestError, match=sentence):
        read_manifest(manifest(tmp_path, *lines))


def test_an_unknown_subset_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = manifest(tmp_path, *({"file": "a", "text": "", "subset": s} for s in ("one", "two")))
    assert [clip.subset for clip in read_manifest(path, "two")] == ["two"]
    with pytest.raises(ManifestError) as refusal:
        read_manifest(path, "three")
    assert refusal.value.hint == "It has: one, two."


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_manifest_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / name)


# --- the command, through the real worker ------------------------------------------------------


@pytest.fixture
def small_set(tmp_path: Path, sample: Path) -> Path:
    """The sample twice, in two subsets: once as SCRIPT says it, once with a word more."""
    rows = [
        {"file": str(sample), "text": "My fellow Americans", "subset": "right"},
        {"file": str(sample), "text": "Now, my fellow Americans", "subset": "wrong"},
    ]
    return manifest(tmp_path, *rows)


@pytest.fixture
def engine(tmp_path: Path) -> list[str]:
    script = tmp_path / "script.json"
    words = [[" My", 900, 1190], [" fellow", 1190, 1530], [" Americans.", 1530, 2200]]
    script.write_text(json.dumps(words))
    return ["--engine", "scripted", "--model", str(script)]


def test_evaluate_scores_each_subset_at_each_delay(
    small_set: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["evaluate", str(small_set), *engine, "--delay-ms", "240,960", "--json"]
    assert main(line) == 0
    report = json.loads(capsys.readouterr().out)
    rows = {(row["delay_ms"], row["subset"]): row for row in report["rows"]}
    assert list(rows) == [(d, s) for d in (240, 960) for s in ("right", "wrong", "all")]
    assert [row["wer"] for row in rows.values()] == [0.0, 0.25, pytest.approx(1 / 7)] * 2
    assert rows[240, "all"]["audio_s"] == 22.0
    assert (report["engine"], report["model"], report["live"]) == ("scripted", "script.json", False)
    assert len(report["clips"]) == 4


def test_evaluates_table_has_a_line_for_each_row(
    small_set: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(small_set), *engine, "--subset", "wrong"]) == 0
    title, head, line = capsys.readouterr().out.splitlines()
    assert title == "scripted script.json, whole files"
    assert head.split()[:6] == ["subset", "delay", "clips", "audio", "words", "WER"]
    assert line.startswith("wrong")
    assert "25.0 %" in line


def test_a_clip_that_is_not_there_is_told_and_the_others_scored(
    tmp_path: Path, sample: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"file": "gone.flac", "text": "a"},
        {"file": str(sample), "text": "my fellow americans"},
    ]
    assert main(["evaluate", str(manifest(tmp_path, *rows)), *engine, "--json"]) == 1
    said_ = capsys.readouterr()
    assert "There is no file" in said_.err
    assert len(json.loads(said_.out)["clips"]) == 1


def test_live_a_clip_is_heard_at_its_own_pace(
    tmp_path: Path, sample: Path, engine: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The script's last word ends at 2.2 s; it cannot be shown before it has been played."""
    segments = [{"start": 0, "end": 2.2, "text": "My fellow Americans"}]
    from app.audio.files import open_sound

    with open_sound(sample) as sound:
        beginning = np.concatenate(list(sound.blocks()))[: 3 * 16_000]
    clip = write_wav(tmp_path / "clip.wav", beginning)
    row = {"file": str(clip), "text": "My fellow Americans", "segments": segments}
    assert main(["evaluate", str(manifest(tmp_path, row)), *engine, "--live", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["clips"]
    assert result["wall_s"] >= 3.0
    (latency_ms,) = result["latencies_ms"]
    assert latency_ms >= 240, "the engine's delay at the least"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_manifest_that_a_windows_editor_saved_is_read(tmp_path: Path, encoding: str) -> None:
    manifest = tmp_path / "manifest.jsonl"
    line = json.dumps({"file": "a.wav", "text": "déjà vu"}, ensure_ascii=False)
    manifest.write_bytes(f"{line}\r\n".encode(encoding))
    (clip,) = read_manifest(manifest)
    assert (clip.path.name, clip.text) == ("a.wav", "déjà vu")


def test_a_line_nested_without_end_is_told(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("[" * 100_000)
    with pytest.raises(ManifestError, match="Line 1"):
        read_manifest(manifest)


@pytest.mark.parametrize("package", ["jiwer", "whisper_normalizer"])
@pytest.mark.parametrize("command", ["evaluate", "bench"])
def test_without_what_only_measuring_needs_it_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    package: str,
    command: str,
) -> None:
    check_can_score()
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # importing it raises ImportError
    with pytest.raises(ScoringUnavailable):
        check_can_score()
    assert main([command, "manifest.jsonl"]) == 1
    said = capsys.readouterr().err
    assert "Measuring needs a package that is not installed" in said
    assert "pip install" in said
