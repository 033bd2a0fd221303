"""A choice finds its source by what it is: with the names of real machines, where no id is odd."""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import sources
from app.audio.capture import Feed
from app.audio.choice import (
    Application,
    Device,
    MediaFile,
    Meeting,
    Microphone,
    SourceChoice,
    SystemSound,
    from_text,
    to_text,
    voices,
)
from app.audio.devices import portaudio, pulse
from app.audio.devices.base import (
    AbsentSourceError,
    NoAnswerError,
    NoSourceError,
    SourceError,
    SourceInfo,
    lacking,
    name_alone,
    told_apart,
)
from app.audio.feeds import feed_for, look_for
from app.audio.files import SoundFileError
from app.audio.patience import Question
from app.audio.playback import Playback
from app.audio.sources import automatic, choice_named, choose, list_sources
from model_backends.base import UserError
from tests.support.likeness import assert_like
from tests.support.pulse import PulseServer

# as a laptop, a desk with an interface, a headset and a graphics card name them
REAL = {
    "alsa_input.pci-0000_00_1f.3.analog-stereo": "Built-in Audio Analog Stereo",
    "alsa_input.pci-0000_0c_00.4.analog-stereo": (
        "Family 17h/19h HD Audio Controller Analog Stereo"
    ),
    "alsa_output.pci-0000_00_1f.3.hdmi-stereo.monitor": "HDMI / DisplayPort 3 Output",
    "alsa_input.usb-Sonix_Technology_USB2.0_Camera-02.mono-fallback": "USB2.0 Camera",
    "alsa_input.usb-Razer_Razer_Kraken_7.1_Chroma-00.mono-fallback": "Razer Kraken 7.1 Chroma",
    "alsa_input.usb-AK5370-00.mono-fallback": "AK5370 I/F A/D Converter",
    "alsa_input.usb-0d8c_USB_Mic-00.mono-fallback": "USB Mic",
    "alsa_input.usb-0d8c_USB_Mic-00.2.mono-fallback": "USB Mic",
    "bluez_input.00_1B_66_A1_B2_C3.headset-head-unit": "Tilda’s 🎧 (HSP/HFP)",
    "usbpre": "Interface rev 2.0",
}
HDMI = "alsa_output.pci-0000_00_1f.3.hdmi-stereo.monitor"
PORTAUDIO = ["Microphone (2- USB Audio 2.0)", "Microphone (2- USB Audio 2.0)", "Line / In.1"]


def info(ident: str, name: str) -> SourceInfo:
    kind = "system" if ident.endswith(".monitor") else "microphone"
    return SourceInfo(ident, name, kind, default=name.startswith("Built-in"))


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[SourceInfo]:
    """What the sound server lists; a test may take from it."""
    found = [info(ident, name) for ident, name in REAL.items()]
    monkeypatch.setattr(sources, "DESKTOP", "linux")
    monkeypatch.setattr(pulse, "sources", lambda: list(found))
    return found


class Default:
    """`sounddevice.default`: the numbers of the input and the output."""

    device = (1, 0)


class SoundDevice:
    """PortAudio as `sounddevice` shows it, with the devices of a Windows desk."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.default = Default()

    def query_devices(self, device: None = None, kind: None = None) -> list[dict[str, object]]:
        outputs = [{"name": "Speakers", "index": 0, "hostapi": 0, "max_input_channels": 0}]
        return outputs + [
            {"name": name, "index": 1 + i, "hostapi": 0, "max_input_channels": 2}
            for i, name in enumerate(self.names)
        ]

    def query_hostapis(self, index: None = None) -> list[dict[str, object]]:
        return [{"name": "Windows WASAPI"}]


def test_the_desk_has_no_verb_that_portaudio_lacks() -> None:
    try:
        import sounddevice
    except OSError as error:
        pytest.skip(f"no PortAudio: {error}")
    assert_like(SoundDevice, sounddevice, own={"names"})


# --- ids and names of real machines ---------------------------------------------------------


@pytest.mark.parametrize("ident", REAL)
def test_every_listed_source_can_be_chosen_kept_and_found_again(
    plugged: list[SourceInfo], ident: str
) -> None:
    (listed,) = [source for source in list_sources() if source.id == ident]
    for kept in (to_text(listed.choice), ident):  # as now, and as settings were before
        choice = from_text(kept)
        assert isinstance(choice, Device)
        assert choose(choice) == listed
    for typed in (ident, ident.upper(), listed.name, listed.name.casefold()):
        assert choice_named(typed) == listed.choice
    assert feed_for(listed.choice).name == listed.full_name
    assert name_alone(listed.full_name) == listed.name


def test_two_of_one_name_are_told_apart_and_keep_their_names(plugged: list[SourceInfo]) -> None:
    twins = {s.id: s.name for s in list_sources() if s.name.startswith("USB Mic")}
    assert sorted(twins.values()) == ["USB Mic", "USB Mic (2)"]
    plugged.reverse()
    assert {s.id: s.name for s in list_sources() if s.name.startswith("USB Mic")} == twins
    with pytest.raises(SourceError, match="more than one") as refused:
        choice_named("usb mi")
    assert "“USB Mic (2)”" in refused.value.hint


def test_a_device_that_came_back_under_another_id_is_known_by_its_name(
    plugged: list[SourceInfo],
) -> None:
    before = next(s for s in list_sources() if s.name == "USB2.0 Camera")
    plugged[:] = [replace(s, id=s.id + ".7") if s.id == before.id else s for s in plugged]
    assert choose(before.choice).id == before.id + ".7"


def test_an_absent_device_is_named_and_never_a_file(
    plugged: list[SourceInfo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ident = "alsa_input.usb-Jabra.mono"
    Path(ident).write_text("a file of that name")
    with pytest.raises(AbsentSourceError, match=r"^Jabra Elite 7\.1 is not connected\.$"):
        choose(Device(ident, "Jabra Elite 7.1"))
    with pytest.raises(AbsentSourceError, match=ident):
        feed_for(from_text(ident))


def test_portaudio_tells_its_twins_apart_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sources, "DESKTOP", "windows")
    monkeypatch.setattr(portaudio, "DESKTOP", "windows")
    desk = SoundDevice(PORTAUDIO)
    monkeypatch.setitem(sys.modules, "sounddevice", desk)
    listed = [source for source in list_sources() if source.kind == "microphone"]
    assert [s.name for s in listed if s.default] == [PORTAUDIO[0]]
    assert len({s.id for s in listed}) == len({s.name for s in listed}) == 3
    kept = {s.name: from_text(to_text(s.choice)) for s in listed}
    found = {name: choose(choice) for name, choice in kept.items() if isinstance(choice, Device)}
    devices = {name: portaudio._device(desk, source) for name, source in found.items()}
    assert devices == {PORTAUDIO[0]: 1, f"{PORTAUDIO[0]} (2)": 2, PORTAUDIO[2]: 3}
    assert choice_named("portaudio:Microphone (2- USB Audio 2.0)").label == PORTAUDIO[0]
    desk.names = PORTAUDIO[:1]
    portaudio._lost.clear()
    with pytest.raises(AbsentSourceError):
        portaudio._device(desk, listed[-1])
    assert portaudio._lost.is_set(), "PortAudio looks for devices again before the next try"
    portaudio._lost.clear()


def test_a_headset_that_changes_its_profile_is_the_same_headset(plugged: list[SourceInfo]) -> None:
    music = "bluez_output.00_1B_66_A1_B2_C3.a2dp-sink.monitor"
    plugged.append(info("bluez_output.00_1B_66_A1_B2_C3.headset-head-unit.monitor", "Tilda (HSP)"))
    assert choose(Device(music, "Tilda (A2DP)", plays=True)).name == "Tilda (HSP)"
    voice = Device("bluez_input.00_1B_66_A1_B2_C3.handsfree-head-unit", "Tilda’s telephone")
    assert choose(voice).id == "bluez_input.00_1B_66_A1_B2_C3.headset-head-unit"
    with pytest.raises(AbsentSourceError):
        choose(Device("bluez_input.FF_FF_FF_FF_FF_FF.headset-head-unit", "Tilda’s other one"))


def test_of_two_inputs_of_a_card_none_is_guessed(plugged: list[SourceInfo]) -> None:
    plugged.append(info("alsa_input.pci-0000_07_00.6.iec958-stereo", "Digital"))
    plugged.append(info("alsa_input.pci-0000_07_00.6.analog-stereo", "Analog"))
    with pytest.raises(AbsentSourceError):
        choose(Device("alsa_input.pci-0000_07_00.6.HiFi__hw_Mic__source", "Front"))


# --- what a person types -----------------------------------------------------------------------


def test_typed_text_is_a_source_before_it_is_a_file(
    plugged: list[SourceInfo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("usbpre", "USB2.0 Camera", "kraken", "talk.flac"):
        Path(name).touch()
    assert choice_named("usbpre") == Device("usbpre", "Interface rev 2.0")
    assert choice_named("USB2.0 Camera").label == "USB2.0 Camera"
    assert choice_named("./usbpre") == MediaFile(Path("./usbpre"))
    assert choice_named("kraken") == MediaFile(Path("kraken")), "a file, before a part of a name"
    assert choice_named("talk.flac") == MediaFile(Path("talk.flac"))
    assert choice_named("7.1 Chr").label == "Razer Kraken 7.1 Chroma"
    assert choice_named("HSP/").label == "Tilda’s 🎧 (HSP/HFP)"


@pytest.mark.parametrize("text", ["gone.flac", "folder/gone", "C:\\talk\\gone"])
def test_what_looks_like_a_path_and_is_nothing_is_no_such_file(
    plugged: list[SourceInfo], text: str
) -> None:
    with pytest.raises(SoundFileError, match="There is no file"):
        feed_for(choice_named(text))


@pytest.mark.parametrize("text", ["Nobody’s", "", "rev 3.0 (HSP)"])
def test_what_is_neither_says_what_there_is(plugged: list[SourceInfo], text: str) -> None:
    with pytest.raises(SourceError, match="no source here, and no file") as refused:
        choice_named(text)
    assert "“USB2.0 Camera”" in refused.value.hint
    assert "meeting, microphone, system, " in refused.value.hint


# --- what the command line takes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("meeting", Meeting()),
        ("Microphone", Microphone()),
        ("SYSTEM", SystemSound()),
        ("app:Zoom: Room 4.2 (HSP)", Application("Zoom: Room 4.2 (HSP)")),
        ("app:zoom: room", Application("Zoom: Room 4.2 (HSP)")),
        ("app:ZOOM: ROOM 4.2 (HSP)", Application("Zoom: Room 4.2 (HSP)")),
        ("app:VLC media player", Application("VLC media player")),
        ("Monitor of HDMI / DisplayPort 3 Output", Device(HDMI, REAL[HDMI], plays=True)),
    ],
)
def test_what_is_typed_is_taken_as_it_is_meant(
    plugged: list[SourceInfo], typed: str, meant: SourceChoice
) -> None:
    plugged.append(SourceInfo("app:Zoom: Room 4.2 (HSP)", "Zoom: Room 4.2 (HSP)", "application"))
    assert choice_named(typed) == meant


def test_app_and_no_name_says_what_there_is(plugged: list[SourceInfo]) -> None:
    with pytest.raises(SourceError, match="no source here") as refused:
        choice_named("app:")
    assert "“USB2.0 Camera”" in refused.value.hint


def test_a_name_that_a_microphone_and_an_output_have_is_told_by_ids(
    plugged: list[SourceInfo],
) -> None:
    output = SourceInfo("alsa_output.usb-Jabra.analog-stereo.monitor", "USB2.0 Camera", "system")
    plugged.append(output)
    with pytest.raises(SourceError, match="More than one source is called") as refused:
        choice_named("USB2.0 Camera")
    assert output.id in refused.value.hint
    assert choice_named(output.id) == output.choice
    assert choice_named("Monitor of USB2.0 Camera") == output.choice


def test_what_cannot_be_heard_is_no_choice_and_its_reason_is_told(
    plugged: list[SourceInfo],
) -> None:
    why = "Windows gives the sound of an output as a whole, not one application’s."
    plugged[:] = [lacking("application", "One application", why)]
    with pytest.raises(NoSourceError, match="an output as a whole"):
        feed_for(Application("Zoom"))
    with pytest.raises(SourceError, match="no source here"):
        choice_named("One application")


# --- where nobody has chosen --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([], Microphone()),
        (["usbpre"], Microphone()),
        (["usbpre", HDMI], Meeting()),
        ([HDMI], Meeting()),
        (["auto_null.monitor"], Microphone()),
        (["usbpre", "auto_null.monitor"], Meeting()),
    ],
)
def test_automatic_is_both_voices_where_there_is_something_to_hear(
    plugged: list[SourceInfo], there: list[str], chosen: SourceChoice
) -> None:
    plugged[:] = [info(ident, ident) for ident in there]
    assert automatic() == chosen


# --- as settings keep it -------------------------------------------------------------------------


@given(st.text(min_size=1).filter(lambda t: "\n" not in t), st.text())
def test_a_device_is_read_as_it_was_written(ident: str, name: str) -> None:
    assert from_text(to_text(Device(ident, name))) == Device(ident, name)


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1))
def test_a_file_is_read_as_it_was_written(name: str) -> None:
    choice: SourceChoice = MediaFile(Path(name))
    assert from_text(to_text(choice)) == choice


@pytest.mark.parametrize(
    "choice", [Meeting(), Microphone(), SystemSound(), Application("Zoom: Room 4.2")]
)
def test_what_follows_the_desktop_is_read_as_it_was_written(choice: SourceChoice) -> None:
    assert from_text(to_text(choice)) == choice


def test_a_meeting_has_two_voices_and_all_else_has_one() -> None:
    assert voices(Meeting()) == {"them": SystemSound(), "me": Microphone()}
    speakers = Device("alsa_output.pci-0000_00_1f.3.analog-stereo.monitor", plays=True)
    for theirs in (SystemSound(), Application("Zoom"), speakers):
        assert voices(theirs) == {"them": theirs}
    for mine in (Microphone(), Device("usb"), MediaFile(Path("talk.mp3"))):
        assert voices(mine) == {"me": mine}


def test_nothing_and_whole_paths_of_old_settings_are_read() -> None:
    assert from_text("") == Meeting(), "nobody has chosen"
    assert from_text("microphone") == Microphone()
    whole = Path("/talks/one.flac").absolute()
    assert from_text(str(whole)) == MediaFile(whole)
    assert from_text("portaudio:Line / In.1") == Device("portaudio:Line / In.1")


@pytest.mark.parametrize(
    "kept",
    [HDMI, f"device:{HDMI}", f"device:{HDMI}\nMonitor of HDMI / DisplayPort 3 Output"],
)
def test_an_output_of_old_settings_is_heard_as_what_others_say(
    plugged: list[SourceInfo], kept: str
) -> None:
    choice = from_text(kept)
    assert voices(choice) == {"them": choice}
    assert choose(choice).id == HDMI  # type: ignore[arg-type]
    plugged[:] = [replace(s, id="another.monitor") if s.id == HDMI else s for s in plugged]
    if "\n" in kept:  # it is known by its name
        assert choose(choice).id == "another.monitor"  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["Mic", "Mic (2)", "Mic (3)", "Line"])))
def test_names_told_apart_are_all_different(names: list[str]) -> None:
    told = told_apart(names)
    assert len(set(told)) == len(names)
    assert all(t == n or t.startswith(f"{n} (") for t, n in zip(told, names, strict=True))


# --- a server that hangs -------------------------------------------------------------------------


def test_a_question_that_hangs_is_asked_once_and_shared() -> None:
    answered, asked = threading.Event(), []

    def ask() -> int:
        asked.append(1)
        assert answered.wait(30)
        return len(asked)

    question = Question(ask, "test")
    for _ in range(3):
        with pytest.raises(TimeoutError):
            question.answer(0.01)
    answered.set()
    assert question.answer(30) == 1
    assert question.answer(30) == 2, "a new one, once the first has been answered"


def test_whoever_asks_is_told_why_there_is_no_answer() -> None:
    def ask() -> int:
        raise NoSourceError("None.")

    with pytest.raises(NoSourceError):
        Question(ask, "test").answer(30)


def test_a_hanging_server_is_told_within_the_limit_and_files_are_heard(
    monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    thawed = threading.Event()

    def frozen() -> list[SourceInfo]:
        thawed.wait(30)
        return []

    monkeypatch.setattr(sources, "DESKTOP", "linux")
    monkeypatch.setattr(pulse, "sources", frozen)
    try:
        with pytest.raises(NoAnswerError, match="does not answer"):
            choose(Microphone(), within_s=0.01)
        with pytest.raises(NoAnswerError):
            choice_named("Built-in", within_s=0.01)
        assert choice_named(str(sample), within_s=0.01) == MediaFile(sample)
    finally:
        thawed.set()


def test_looking_for_a_source_waits_for_nobody(
    monkeypatch: pytest.MonkeyPatch, plugged: list[SourceInfo], sample: Path
) -> None:
    told: list[Feed | UserError] = []
    come, go = threading.Semaphore(0), threading.Event()

    def slow() -> list[SourceInfo]:
        assert go.wait(30)
        return plugged

    def found(answer: Feed | UserError) -> None:
        told.append(answer)
        come.release()

    monkeypatch.setattr(pulse, "sources", slow)
    look_for(Device("usbpre"), found, within_s=30)
    look_for(Device("gone"), found, within_s=30)
    assert not told, "it has returned, and the server has not answered"
    go.set()
    for _ in range(2):
        assert come.acquire(timeout=30)
    assert {type(answer) for answer in told} == {pulse.ServerSource, AbsentSourceError}
    look_for(MediaFile(sample), found)
    assert come.acquire(timeout=30)
    assert isinstance(told[-1], Playback)


def test_whatever_goes_wrong_while_looking_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, plugged: list[SourceInfo]
) -> None:
    """Else nobody looks again, and the voice is searched for without end."""
    told: queue.Queue[Feed | UserError] = queue.Queue()

    def broken(*of: object) -> Feed:
        raise RuntimeError("of a library")

    monkeypatch.setattr("app.audio.feeds.choose", broken)
    look_for(Device("usbpre"), told.put)
    assert isinstance(told.get(timeout=30), NoAnswerError)


# --- the real server ----------------------------------------------------------------------


@pytest.mark.audio
def test_a_real_server_lists_real_names_and_each_is_found(pulse: PulseServer) -> None:
    for ident, name in REAL.items():
        pulse.add_source(ident.removesuffix(".monitor"), name, hears=False)
    listed = {source.id: source for source in list_sources()}
    for ident, name in REAL.items():
        source = listed[ident.removesuffix(".monitor")]
        assert source.name in (name, f"{name} (2)")
        kept = from_text(source.id)
        assert isinstance(kept, Device) and choose(kept) == source
        assert choice_named(source.name) == source.choice
    assert choose(Device("speakers.monitor")).kind == "system"
    pulse.freeze()
    try:
        with pytest.raises(NoAnswerError):
            list_sources(within_s=0.1)
    finally:
        pulse.freeze(on=False)
