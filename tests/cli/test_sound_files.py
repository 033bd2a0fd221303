"""Any file becomes 16 kHz mono with true times, or one sentence that says why not."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.audio import opening
from app.audio.files import Sound, SoundFileError, int16_bytes, open_sound
from app.audio.tracks import TrackError
from model_backends.base import SAMPLE_RATE
from tests.cli.sounds import cut, tone, write_media, write_tracks, write_wav


def hear(path: Path, block_ms: int = 200) -> tuple[np.ndarray[Any, Any], Sound]:
    """The whole sound, and the file it came from, read to its end."""
    with open_sound(path) as sound:
        return np.concatenate(list(sound.blocks(block_ms))), sound


def rms(pcm: np.ndarray[Any, Any]) -> float:
    return float(np.sqrt(np.mean(np.square(pcm))))


def pitch(pcm: np.ndarray[Any, Any]) -> float:
    """The loudest frequency, Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * SAMPLE_RATE / len(pcm))


# --- what works ----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [2_000, 8_000, 11_025, 16_000, 44_100, 192_000, 768_000])
def test_a_tone_keeps_its_length_loudness_and_pitch_at_any_rate(tmp_path: Path, rate: int) -> None:
    pcm, sound = hear(write_wav(tmp_path / "a.wav", tone(1.0, rate), rate))
    assert (pcm.dtype, len(pcm), sound.heard_ms, sound.duration_ms) == (
        np.float32,
        16_000,
        1000,
        1000,
    )
    assert rms(pcm) == pytest.approx(0.3 / 2**0.5, rel=0.02)
    assert pitch(pcm) == pytest.approx(440, abs=2)


def test_a_sample_a_second_is_heard_and_remarked_on(tmp_path: Path) -> None:
    pcm, sound = hear(write_wav(tmp_path / "slow.wav", tone(20.0, 1), 1))
    assert len(pcm) == 20 * SAMPLE_RATE
    assert [note for note in sound.notes if "1 Hz" in note]


@pytest.mark.parametrize("channels", [2, 8])
def test_the_same_sound_in_every_channel_is_as_loud_as_in_one(
    tmp_path: Path, channels: int
) -> None:
    pcm, _ = hear(write_wav(tmp_path / "a.wav", np.stack([tone(1.0)] * channels, axis=1)))
    assert rms(pcm) == pytest.approx(0.3 / 2**0.5, rel=0.02)


def test_unused_channels_do_not_make_speech_quieter(tmp_path: Path) -> None:
    samples = np.zeros((SAMPLE_RATE, 8), dtype=np.float32)
    samples[:, 5] = tone(1.0)
    pcm, _ = hear(write_wav(tmp_path / "a.wav", samples))
    assert rms(pcm) == pytest.approx(0.3 / 2**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.flac", "flac"), ("a.mp3", "mp3"), ("a.m4a", "aac"), ("a.ogg", "libopus")],
)
def test_encoded_files(tmp_path: Path, name: str, codec: str) -> None:
    pcm, sound = hear(write_media(tmp_path / name, tone(2.0, 48_000), codec=codec))
    assert pitch(pcm) == pytest.approx(440, abs=2)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    assert sound.notes == []


def test_the_sound_of_a_video(tmp_path: Path) -> None:
    pcm, sound = hear(write_media(tmp_path / "a.mp4", tone(2.0, 48_000), video=True))
    assert pitch(pcm) == pytest.approx(440, abs=2)
    assert sound.notes == []


def test_sound_that_begins_after_the_picture_keeps_its_time(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", tone(1.0, 48_000), video=True, late_s=1.0)
    pcm, _ = hear(path)
    assert rms(pcm[: SAMPLE_RATE * 9 // 10]) < 0.001
    assert rms(pcm[SAMPLE_RATE * 11 // 10 : SAMPLE_RATE * 19 // 10]) > 0.2


@pytest.mark.parametrize("block_ms", [32, 200, 5000])
def test_blocks_are_of_one_length_but_the_last(tmp_path: Path, block_ms: int) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.05))
    with open_sound(path) as sound:
        lengths = [len(block) for block in sound.blocks(block_ms)]
    assert sum(lengths) == 16_800
    assert set(lengths[:-1]) <= {block_ms * 16}
    assert 0 < lengths[-1] <= block_ms * 16


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    data = write_wav(tmp_path / "a.wav", tone(1.0)).read_bytes()
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    pcm, _ = hear(pipe)
    writer.join()
    assert len(pcm) == SAMPLE_RATE


def test_a_name_like_a_protocols_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_wav(Path("http:talk.wav"), tone(0.5))
    assert len(hear(Path("http:talk.wav"))[0]) == SAMPLE_RATE // 2


def test_samples_that_are_no_numbers_are_silence_and_counted(tmp_path: Path) -> None:
    samples = tone(1.0)
    samples[100:110] = np.nan
    samples[200], samples[300] = np.inf, -np.inf
    pcm, sound = hear(write_wav(tmp_path / "a.wav", samples))
    assert np.isfinite(pcm).all()
    assert np.abs(pcm).max() <= 1.0
    assert [note for note in sound.notes if note.startswith("12 samples")]


def test_samples_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    pcm, _ = hear(write_wav(tmp_path / "a.wav", tone(0.5) * 1e6))
    assert np.abs(pcm).max() == 1.0


def test_int16_on_the_pipe() -> None:
    pcm = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 2.0], dtype=np.float32)
    assert np.frombuffer(int16_bytes(pcm), "<i2").tolist() == [
        0,
        16384,
        -16384,
        32767,
        -32768,
        32767,
    ]


# --- channels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("speaking", range(6))
def test_every_track_of_a_recorder_is_heard_at_its_loudness(tmp_path: Path, speaking: int) -> None:
    """FFmpeg calls the fourth of six FLAC channels the subwoofer's; nobody has said so."""
    samples = np.random.default_rng(0).normal(0, 1e-4, (2 * SAMPLE_RATE, 6)).astype(np.float32)
    samples[:, speaking] += tone(2.0)
    soundfile.write(tmp_path / "six.flac", samples, SAMPLE_RATE)
    pcm, _ = hear(tmp_path / "six.flac")
    assert rms(pcm) == pytest.approx(0.3 / 2**0.5, rel=0.05)


@pytest.mark.parametrize("side", [-1.0, -0.97, -0.5])
def test_two_sides_against_each_other_do_not_cancel(tmp_path: Path, side: float) -> None:
    pcm, sound = hear(
        write_wav(tmp_path / "a.wav", np.stack([tone(1.0), side * tone(1.0)], axis=1))
    )
    assert rms(pcm) > 0.15
    assert sound.notes == []


# --- tracks --------------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """German at 440 Hz, English at 880 Hz."""
    tracks = {"ger": tone(1.5, 48_000), "eng": tone(1.5, 48_000, 880)}
    return write_tracks(tmp_path / "film.mkv", tracks)


def test_other_tracks_are_told_and_the_first_heard(film: Path) -> None:
    pcm, sound = hear(film)
    assert pitch(pcm) == pytest.approx(440, abs=2)
    (note,) = sound.notes
    assert "has 2 audio tracks; track 1 (ger) was heard" in note
    assert "2 (eng)" in note and "--track" in note


@pytest.mark.parametrize(
    ("wanted", "hertz"), [("1", 440), ("2", 880), ("de", 440), ("deu", 440), ("EN", 880)]
)
def test_a_track_is_taken_by_number_or_language(film: Path, wanted: str, hertz: int) -> None:
    with open_sound(film, wanted) as sound:
        pcm = np.concatenate(list(sound.blocks()))
    assert pitch(pcm) == pytest.approx(hertz, abs=2)
    assert sound.notes == []


def test_a_track_that_is_not_there_names_those_that_are(film: Path) -> None:
    with pytest.raises(TrackError, match="no audio track “fr”") as refused:
        open_sound(film, "fr")
    assert "1 (ger), 2 (eng)" in refused.value.hint


def test_instead_of_a_silent_track_another_is_heard_and_it_is_said(tmp_path: Path) -> None:
    tracks = {"ger": 0 * tone(1.5, 48_000), "eng": tone(1.5, 48_000, 880)}
    pcm, sound = hear(write_tracks(tmp_path / "game.mkv", tracks))
    assert pitch(pcm) == pytest.approx(880, abs=2)
    assert "Track 1 (ger) of “game.mkv” is silent; track 2 (eng) was heard" in sound.notes[0]
    with open_sound(tmp_path / "game.mkv", "1") as asked:
        assert not np.concatenate(list(asked.blocks())).any(), "who asks for it gets it"


# --- silence --------------------------------------------------------------------------------------


def test_silence_and_whispers_are_told(tmp_path: Path) -> None:
    _, silent = hear(write_wav(tmp_path / "zero.wav", 0 * tone(1.0)))
    assert [n for n in silent.notes if "only silence in “zero.wav”" in n]
    _, quiet = hear(write_wav(tmp_path / "far.wav", tone(1.0) / 300))
    assert [n for n in quiet.notes if "very quiet: its loudest part is at -63 dB" in n]
    _, plain = hear(write_wav(tmp_path / "a.wav", tone(1.0) / 100))
    assert plain.notes == []


# --- clocks ---------------------------------------------------------------------------------------


def _part(folder: Path, name: str, seconds: float, at_s: float = 0.0) -> bytes:
    path = folder / f"{name}.ts"
    write_media(path, tone(seconds, 48_000), codec="mp2", late_s=at_s)
    return path.read_bytes()


@pytest.mark.parametrize("second_at_s", [7200.0, 60.0, 0.0])
def test_joined_transport_streams_have_no_hours_between_them(
    tmp_path: Path, second_at_s: float
) -> None:
    joined = tmp_path / "joined.ts"
    joined.write_bytes(_part(tmp_path, "a", 3.0) + _part(tmp_path, "b", 2.0, second_at_s))
    pcm, sound = hear(joined)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(5.0, abs=0.2)
    assert sound.notes == []


def test_a_hole_after_a_jump_back_is_as_long_as_it_is(tmp_path: Path) -> None:
    joined = tmp_path / "joined.ts"
    parts = [("a", 3.0, 0.0), ("b", 1.0, 0.0), ("c", 1.0, 4.0)]  # 3 s lack after the second
    joined.write_bytes(b"".join(_part(tmp_path, *part) for part in parts))
    pcm, sound = hear(joined)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(8.0, abs=0.3)
    assert [n for n in sound.notes if "lacks 3." in n or "lacks 2.9" in n]


# --- headers --------------------------------------------------------------------------------------


def test_what_follows_a_header_that_promises_less_is_heard(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3.0))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (SAMPLE_RATE * 4).to_bytes(4, "little")
    path.write_bytes(data)
    pcm, sound = hear(path)
    assert len(pcm) == 3 * SAMPLE_RATE
    assert sound.duration_ms is None
    assert [n for n in sound.notes if "promises less than there is" in n]


def test_joined_waves_are_both_heard(tmp_path: Path) -> None:
    one = write_wav(tmp_path / "a.wav", tone(1.0)).read_bytes()
    (tmp_path / "two.wav").write_bytes(one + one)
    assert len(hear(tmp_path / "two.wav")[0]) == pytest.approx(2 * SAMPLE_RATE, abs=50)


def test_chunks_after_the_sound_are_no_sound(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    path.write_bytes(
        path.read_bytes() + b"LIST" + (26).to_bytes(4, "little") + b"INFOISFT" * 3 + b"12"
    )
    pcm, sound = hear(path)
    assert (len(pcm), sound.notes) == (SAMPLE_RATE, [])


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("late.mkv", "flac", {}),
        ("late.webm", "libopus", {}),
        ("late.mp4", "aac", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    ],
)
def test_an_end_is_not_taken_for_a_length(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = tmp_path / name
    write_media(path, tone(3.0, 48_000), codec=codec, late_s=8.0, options=options)
    pcm, sound = hear(path)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(3.0, abs=0.2)
    assert sound.notes == []
    assert sound.duration_ms == pytest.approx(3000, abs=200)


def test_joined_mp3_are_not_called_damaged(tmp_path: Path) -> None:
    one = write_media(tmp_path / "a.mp3", tone(1.0, 48_000), codec="mp3").read_bytes()
    joined = tmp_path / "two.mp3"
    joined.write_bytes(one + one)
    pcm, sound = hear(joined)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(2.0, abs=0.2)
    assert not [n for n in sound.notes if "damaged" in n]


# --- what is cut short or damaged ------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: write_wav(folder / "a.wav", tone(2.0)),
        lambda folder: write_media(folder / "a.flac", tone(2.0, 48_000), codec="flac"),
        lambda folder: write_media(folder / "a.mp3", tone(2.0, 48_000), codec="mp3"),
    ],
    ids=["wav", "flac", "mp3"],
)
def test_a_cut_file_is_heard_as_far_as_it_goes_and_said_to_be_cut(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    pcm, sound = hear(cut(make(tmp_path), 0.5))
    assert 0.3 < len(pcm) / SAMPLE_RATE < 1.7
    assert pitch(pcm) == pytest.approx(440, abs=2)
    assert [note for note in sound.notes if "is cut short" in note]


def test_damage_in_the_middle_is_told_and_the_rest_heard(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.flac", tone(3.0, 48_000), codec="flac")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    pcm, sound = hear(path)
    assert len(pcm) / SAMPLE_RATE == pytest.approx(3.0, abs=0.1), "times after the damage are true"
    assert [note for note in sound.notes if "heard as silence" in note]


# --- what cannot be heard --------------------------------------------------------------------


def _text(folder: Path, name: str) -> Path:
    (folder / name).write_text("These are words, but nobody says them.\n" * 40)
    return folder / name


def _empty(folder: Path) -> Path:
    (folder / "empty.wav").touch()
    return folder / "empty.wav"


BAD: list[tuple[str, Callable[[Path], Path], str]] = [
    ("missing", lambda folder: folder / "nope.wav", "There is no file"),
    ("below a file", lambda folder: _text(folder, "a.txt") / "b.wav", "There is no file"),
    ("folder", lambda folder: folder, "is a folder"),
    ("empty", _empty, "is empty"),
    ("text as wav", lambda folder: _text(folder, "notes.wav"), "is not audio or video"),
    ("text as txt", lambda folder: _text(folder, "notes.txt"), "is not audio or video"),
    ("text as mp4", lambda folder: _text(folder, "notes.mp4"), "is not audio or video"),
    ("header only", lambda f: cut(write_wav(f / "a.wav", tone(1.0)), 0.0004), "is not audio or"),
    ("no samples", lambda f: write_wav(f / "a.wav", tone(0.0)), "0 samples"),
    (
        "half an mp4",
        lambda f: cut(write_media(f / "a.mp4", tone(2.0, 48_000), video=True), 0.6),
        "is not audio or video",
    ),
    (
        "video without sound",
        lambda f: write_media(f / "a.mp4", None, video=True),
        "is a video without sound",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_cannot_be_heard_says_why(
    tmp_path: Path, make: Callable[[Path], Path], sentence: str
) -> None:
    with pytest.raises(SoundFileError) as refusal:
        open_sound(make(tmp_path))
    assert sentence in refusal.value.message


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "random.mp3"
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    with pytest.raises(SoundFileError):
        hear(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything"
)
def test_a_file_one_may_not_read(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    path.chmod(0)
    with pytest.raises(SoundFileError, match="may not be read"):
        open_sound(path)


def test_a_refusal_by_the_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SoundFileError, match="may not be read"):
        open_sound(path)


# --- what would never end, or never begin ------------------------------------------------------

posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")


@posix
def test_a_device_by_any_name_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "endless.wav"
    link.symlink_to("/dev/zero")
    for path in (link, Path("/dev/zero")):
        with pytest.raises(SoundFileError, match="is a device, not a file"):
            open_sound(path)


@posix
def test_a_pipe_nobody_writes_to_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(opening, "WRITER_S", 0.01)
    with pytest.raises(SoundFileError, match="Nothing is written into the pipe"):
        open_sound(tmp_path / "pipe")


@pytest.mark.parametrize("spelling", ["file:{}", "file://{}", "FILE://localhost{}"])
def test_a_file_named_as_browsers_do_is_a_file(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "a talk.wav"
    address = Path(spelling.format(str(path).replace(" ", "%20")))
    with pytest.raises(SoundFileError, match=f"There is no file “{path}”"):
        open_sound(address)
    path.touch()
    with pytest.raises(SoundFileError) as refused:
        open_sound(address)
    assert refused.value.hint.endswith(f"name it as {path}.")


@pytest.mark.parametrize("address", ["https://example.org/talk.mp3", "rtsp://cam/1"])
def test_an_address_is_no_file_and_told_so(address: str) -> None:
    with pytest.raises(SoundFileError, match=f"“{address}” is an address") as refused:
        open_sound(Path(address))
    assert "Download" in refused.value.hint


def test_what_is_piped_in_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    with path.open("rb") as raw, io.TextIOWrapper(raw) as piped:
        monkeypatch.setattr("sys.stdin", piped)
        pcm, sound = hear(Path("-"))
    assert (len(pcm), sound.name) == (SAMPLE_RATE, "standard input")
