"""Settings: what is saved comes back, and no file can keep the app from starting."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import (
    EDGES,
    OverlaySettings,
    Settings,
    load,
    none_kept,
    save,
    settings_file,
)

DATA = Path(__file__).parents[1] / "data" / "old"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOXLINE_CONFIG", str(tmp_path))
    return tmp_path


def write(text: str | bytes) -> None:
    settings_file().write_bytes(text.encode() if isinstance(text, str) else text)


def test_without_a_file_the_defaults_are_used_and_nothing_is_said() -> None:
    assert load() == (Settings(), None)


def test_settings_that_were_ever_kept_are_no_newcomers() -> None:
    assert none_kept()
    write("not = = TOML")
    assert not none_kept()
    save(Settings())
    assert not none_kept()


def test_what_is_saved_comes_back() -> None:
    chosen = Settings(
        overlay=OverlaySettings(
            lines=3, font_family="Noto Sans", edge="uniform", geometry={"DP-1": [10, -20, 800, 160]}
        ),
        engine="voxtral-torch",
        delay_ms={"embedded": 1000, "voxtral-torch": 480},
        source="alsa_input.usb — “Mikrofon”",
        start_listening_on_launch=False,
    )
    assert save(chosen) is None
    assert load() == (chosen, None)


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
box = st.tuples(*[st.integers(-9999, 9999)] * 2, *[st.integers(1, 9999)] * 2).map(list)
color = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
overlay = st.builds(
    OverlaySettings,
    lines=st.integers(1, 12),
    font_family=text,
    font_size=st.integers(8, 144),
    text_color=color,
    background_color=color,
    background_opacity=st.floats(0, 1),
    window_opacity=st.floats(0.2, 1),
    show_tail=st.booleans(),
    show_language=st.booleans(),
    edge=st.sampled_from(EDGES),
    geometry=st.dictionaries(text, box, max_size=2),
)
anything = st.builds(
    Settings,
    overlay=overlay,
    engine=text,
    model=text,
    delay_ms=st.dictionaries(text, st.integers(1, 9999), max_size=2),
    language=text,
    source=text,
    start_listening_on_launch=st.booleans(),
    keep_transcripts=st.booleans(),
    boost_quiet_speech=st.booleans(),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(anything, anything)
def test_any_settings_come_back_whatever_was_saved_before(before: Settings, now: Settings) -> None:
    assert save(before) is None
    assert save(now) is None
    assert load() == (now, None)


@pytest.mark.parametrize("damaged", ["lines = = 2", "[overlay\n", b"\xff\xfe\x00", "a = 1\na = 2"])
def test_a_damaged_file_is_kept_aside_and_the_user_is_told(
    damaged: str | bytes, config: Path
) -> None:
    for number in (1, 2):
        write(damaged)
        found, problem = load()
        aside = config / f"settings.broken-{number}.toml"
        assert found == Settings()
        assert problem is not None and str(aside) in problem
        assert aside.read_bytes() == (damaged.encode() if isinstance(damaged, str) else damaged)
        assert not settings_file().exists()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("engine = 3", "engine"),
        ("start_listening_on_launch = 1", "start_listening_on_launch"),
        ("overlay = 2", "overlay"),
        ("[overlay]\nlines = 0", "overlay.lines"),
        ("[overlay]\nlines = 13", "overlay.lines"),
        ("[overlay]\nlines = true", "overlay.lines"),
        ("[overlay]\nlines = 2.0", "overlay.lines"),
        ("[overlay]\nfont_size = 100000", "overlay.font_size"),
        ("[overlay]\ntext_color = 'red'", "overlay.text_color"),
        ("[overlay]\nbackground_opacity = nan", "overlay.background_opacity"),
        ("[overlay]\nwindow_opacity = 0.0", "overlay.window_opacity"),
        ("[overlay]\nedge = 'neon'", "overlay.edge"),
        ("[overlay.geometry]\nx = [1, 2, 3]", "overlay.geometry"),
        ("[overlay.geometry]\nx = 'left'", "overlay.geometry"),
        ("[delay_ms]\nembedded = -5", "delay_ms"),
        ("[delay_ms]\nembedded = 3600001", "delay_ms"),
        ("[overlay.geometry]\nx = [1, 2, 3000000000, 4]", "overlay.geometry"),
        ("[overlay.geometry]\nx = [-2147483648, 2, 3, 4]", "overlay.geometry"),
        ("[overlay.geometry]\nx = [1, 2, 0, 4]", "overlay.geometry"),
        ("[overlay.geometry]\nx = [1, 2, 3, -4]", "overlay.geometry"),
        ("[overlay.geometry]\nx = [1, 2, true, 4]", "overlay.geometry"),
        ("source = 'a\\u0000b'".replace("'", '"'), "source"),
        ("source = '" + "x" * 10_001 + "'", "source"),
    ],
)
def test_a_value_that_makes_no_sense_becomes_its_default_and_is_named(line: str, key: str) -> None:
    write("model = 'tiny.en'\n" + line)
    found, problem = load()
    assert found == Settings(model="tiny.en")
    assert problem is not None and problem.endswith(f": {key}.")


def test_a_whole_number_may_stand_for_an_opacity() -> None:
    write("[overlay]\nbackground_opacity = 1")
    found, problem = load()
    assert problem is None
    assert found.overlay.background_opacity == 1.0
    assert isinstance(found.overlay.background_opacity, float)


def test_unknown_keys_and_comments_survive_a_save() -> None:
    write("# mine\nfuture = 1\n[overlay]\nlines = 4  # four\nglow = 'much'\n[later]\nx = [1]\n")
    found, problem = load()
    assert problem is None
    assert save(replace(found, engine="voxtral")) is None
    text = settings_file().read_text("utf-8")
    for kept in ("# mine", "future = 1", "lines = 4  # four", "glow = 'much'", "[later]"):
        assert kept in text
    assert load()[0].engine == "voxtral"


def test_a_forgotten_screen_leaves_the_file() -> None:
    save(Settings(overlay=OverlaySettings(geometry={"A": (1, 2, 3, 4), "B": (5, 6, 7, 8)})))
    save(Settings(overlay=OverlaySettings(geometry={"B": (5, 6, 7, 8)})))
    assert list(load()[0].overlay.geometry) == ["B"]


def test_saving_over_a_damaged_file_works() -> None:
    write("= = =")
    assert save(Settings(model="base")) is None
    assert load() == (Settings(model="base"), None)


def test_a_failed_save_leaves_the_old_file_and_no_litter(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(Settings(model="base"))

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    problem = save(Settings(model="tiny.en"))
    assert problem is not None and "No space left" in problem
    assert load() == (Settings(model="base"), None)
    assert [entry.name for entry in config.iterdir()] == ["settings.toml"]


def test_a_settings_file_that_is_a_folder_is_no_obstacle() -> None:
    settings_file().mkdir()
    found, problem = load()
    assert found == Settings()
    assert problem is not None and "could not be read" in problem
    assert save(Settings()) is not None


HOSTILE = [
    "a=" + "[" * 100_000, "a=" + "{b=" * 50_000, "a." * 50_000 + "b = 1", "x = " + "9" * 5000,
    "[" * 5000, "lines = 'x\ud800'", "# " + "x" * 1_000_001, "a = 1\na = 2", "\0",
    "[overlay]\n[[overlay]]", "a = 1979-05-27T07:32:00Z\noverlay = 5",
    "[a]\n[b]\n[a.c]\n[b.d]\n[a.e]",
    "overlay.lines = 3\n[overlay.geometry]\nx = 1", "overlay = {lines = 3}\nengine = 1e999",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_file_stops_the_start_or_the_next_save(hostile: str) -> None:
    settings_file().write_bytes(hostile.encode("utf-8", "surrogatepass"))
    load()
    assert save(Settings(model="base")) is None
    assert load()[0].model == "base"


def test_a_file_nested_without_end_is_kept_aside(config: Path) -> None:
    write("a=" + "[" * 100_000)
    found, problem = load()
    assert found == Settings()
    assert problem is not None and "settings.broken-1.toml" in problem
    assert (config / "settings.broken-1.toml").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_files_place_is_not_waited_for() -> None:
    os.mkfifo(settings_file())
    found, problem = load()
    assert found == Settings()
    assert problem is not None and "could not be read" in problem


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_windows_editors_save_is_read(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    write((mark + "model = 'tiny.en'\r\nsource = 'Mikrofon – “Büro”'\r\n").encode(encoding))
    assert load() == (Settings(model="tiny.en", source="Mikrofon – “Büro”"), None)
    assert save(Settings(model="base")) is None
    assert load() == (Settings(model="base"), None)


def test_settings_of_an_earlier_version_are_read() -> None:
    """As version 0.1.0 wrote them."""
    write((DATA / "settings-0.1.0.toml").read_bytes())
    found, problem = load()
    assert problem is None
    assert (found.engine, found.delay_ms) == ("voxtral-torch", {"embedded": 1000, "voxtral": 480})
    assert found.overlay.geometry == {"DP-1": [10, -20, 800, 160]}
    assert found.overlay.font_family == "Noto Sans"
    assert save(found) is None
    assert load()[0] == found


def test_a_folder_that_cannot_be_made_names_the_variable_that_moves_it(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "file").touch()
    monkeypatch.setenv("VOXLINE_CONFIG", str(config / "file" / "below"))
    assert load() == (Settings(), None)
    problem = save(Settings())
    assert problem is not None and "start Voxline with VOXLINE_CONFIG set to a folder" in problem


def test_settings_load_neither_qt_nor_tomlkit() -> None:
    script = (
        "import sys; from app.settings import load; load(); "
        "bad = [m for m in sys.modules if m.split('.')[0] in ('PySide6', 'tomlkit', 'torch')]; "
        "sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_an_older_voxline_called_otherwise_is_understood() -> None:
    write('[overlay]\nedge = "outline"\n')
    loaded, problem = load()
    assert (loaded.overlay.edge, problem) == ("uniform", None)


@pytest.mark.skipif(os.name != "posix", reason="Windows lets not everybody make links")
def test_a_settings_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    """As where settings are kept in a repository; a damaged one is set aside from there."""
    theirs = tmp_path / "dotfiles" / "voxline.toml"
    theirs.parent.mkdir()
    theirs.write_text('language = "de"\n# mine\n')
    settings_file().parent.mkdir(parents=True, exist_ok=True)
    settings_file().symlink_to(theirs)
    chosen, _ = load()
    assert save(replace(chosen, language="fr")) is None
    assert settings_file().is_symlink() and "# mine" in theirs.read_text()
    assert load()[0].language == "fr"
    theirs.write_text("= damaged")
    assert "is kept as" in str(load()[1])
    assert save(chosen) is None
    assert settings_file().is_symlink() and load()[0].language == "de"
    assert [each.name for each in theirs.parent.iterdir()] == ["voxline.toml"]
