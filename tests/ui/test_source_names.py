"""The list of what can be listened to: what is in it, under which heading, and what is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import language
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
)
from app.audio.devices.base import EVERYTHING, SourceInfo, lacking
from app.ui.widgets.source_names import ASK_FOR_FILE, Row, in_full, rows, short
from model_backends.base import Sentence

HDMI = "alsa_output.pci-0000_00_1f.3.hdmi-stereo.monitor"
SOURCES = [
    SourceInfo("alsa_input.usb-0d8c_USB_Mic-00.2.mono", "USB Mic (2)", "microphone", True),
    SourceInfo("bluez_input.00_1B_66.headset", "Tilda’s 🎧 (HSP/HFP)", "microphone"),
    SourceInfo(HDMI, "HDMI / DisplayPort 3 Output", "system", True),
    SourceInfo("app:Zoom: Room (1/2) 🎧", "Zoom: Room (1/2) 🎧", "application"),
]


def under(heading: str, found: list[Row]) -> list[Row]:
    """The rows between this heading and the next, or the file."""
    [at] = [i for i, row in enumerate(found) if row.heading and row.text == heading]
    below = found[at + 1 :]
    end = next(i for i, row in enumerate(below) if row.heading or row.source.startswith("file:"))
    return below[:end]


def marked(chosen: SourceChoice, sources: list[SourceInfo] = SOURCES) -> list[str]:
    return [row.text for row in rows(sources, chosen) if row.chosen]


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        (from_text(""), "Automatic: meeting (microphone and this computer’s sound)"),
        (Meeting(), "Automatic: meeting (microphone and this computer’s sound)"),
        (Microphone(), "Default microphone"),
        (SystemSound(), "Default output"),
        (Application("Zoom: Room (1/2) 🎧"), "Zoom: Room (1/2) 🎧"),
        (Application("VLC media player"), "VLC media player (not playing)"),
        (Device(HDMI, plays=True), "HDMI / DisplayPort 3 Output"),
        (Device("another.id", "USB Mic (2)"), "USB Mic (2)"),
        (from_text(HDMI), "HDMI / DisplayPort 3 Output"),
        (from_text(f"device:old.monitor\nMonitor of {SOURCES[2].name}"), SOURCES[2].name),
        (Device("gone", "Jabra Evolve2 (1/2)"), "Jabra Evolve2 (1/2) (not connected)"),
        (MediaFile(Path("/talks/one.flac")), "File: one.flac"),
    ],
)
def test_what_is_chosen_is_in_the_list_and_alone_is_marked(
    chosen: SourceChoice, shown: str
) -> None:
    assert marked(chosen) == [shown]


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        (Meeting(), "Automatic: meeting (microphone and this computer’s sound)"),
        (Microphone(), "Default microphone"),
        (Device("usb", "USB Mic"), "USB Mic"),
        (Application("Zoom"), "Zoom"),
        (MediaFile(Path("/talks/one.flac")), "File: one.flac"),
    ],
)
def test_while_the_list_has_not_come_nothing_is_called_absent(
    chosen: SourceChoice, shown: str
) -> None:
    found = rows(None, chosen)
    assert [row for row in found if row.chosen] == [Row(shown, to_text(chosen), chosen=True)]
    assert [row.text for row in found if row.why_not] == ["Looking …"]
    assert found[-1].source == ASK_FOR_FILE


def test_every_row_gives_back_the_choice_that_it_stands_for() -> None:
    found = rows(SOURCES, Meeting())
    assert found[0].source == to_text(Meeting())
    assert found[-1].source == ASK_FOR_FILE
    listed = [from_text(row.source) for row in found if row.source and row is not found[-1]]
    for source in SOURCES:
        assert source.choice in listed


def test_an_absent_device_is_greyed_under_its_heading_with_its_name_and_the_reason() -> None:
    gone = Device("bluez_output.00_11.1.monitor", "Jabra Evolve2", plays=True)
    [row] = [r for r in under("This computer’s sound", rows(SOURCES, gone)) if r.why_not]
    assert row.text == "Jabra Evolve2 (not connected)" and row.chosen
    assert in_full(row) == "This computer’s sound: Jabra Evolve2 (not connected)"


def test_what_this_computer_lacks_is_shown_with_the_reason() -> None:
    why = "macOS lets apps hear this computer’s sound since 14.4; this is 13.6."
    found = rows([SOURCES[0], lacking("system", "This computer’s sound", why)], Microphone())
    assert [row.why_not for row in under("This computer’s sound", found)] == [why]
    assert not [row for row in found if row.text == "Applications"], "nobody can say"


def test_where_outputs_are_not_told_apart_there_is_one_row() -> None:
    mac = [SOURCES[0], SourceInfo(EVERYTHING, "This computer’s sound", "system", True)]
    assert [r.text for r in under("This computer’s sound", rows(mac, SystemSound()))] == [
        "This computer’s sound"
    ]
    assert marked(SystemSound(), mac) == ["This computer’s sound"]
    assert [r.text for r in under("Applications", rows(mac, SystemSound()))] == [
        "None is playing now"
    ]


def test_a_name_that_holds_our_words_is_said_in_the_language_of_the_windows() -> None:
    name = Sentence("{name} (this computer’s sound)", name="HDMI")
    language.choose("de")
    try:
        assert language.say(short(name)) == "HDMI (Ton dieses Computers)"
    finally:
        language.choose("en")
    assert short("Monitor of HDMI") == "HDMI"
