"""An engine that speaks a script: no weights, no listening. For tests, demos and screenshots.

The model is a JSON file `[["text", start_ms, end_ms], ...]` in session time (or nothing, for the
built-in script). A word is committed once audio has been heard up to its end plus the delay, so
that everything around an engine can be tried with exact expectations. In a file
`{"script": [...], "slowness": 2.0}` the engine takes so many seconds for each second of sound. A
script may be one for each lane: `{"me": [...], "them": [...]}`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from model_backends.base import (
    SAMPLE_RATE,
    Availability,
    EngineError,
    EngineInfo,
    Event,
    LoadOptions,
    Pcm,
    Progress,
    Report,
    Sentence,
    StreamOptions,
    Tail,
    Word,
)

Script: TypeAlias = list[tuple[str, int, int]]  # text, start_ms, end_ms

_EVERY = ""  # lane
_DELAYS = (80, 240, 480, 960, 2400)
INFO = EngineInfo(
    name="scripted",
    label="Scripted",
    models=("hello",),
    default_model="hello",
    delays_ms=_DELAYS,
    default_delay_ms=240,
    languages=(),
    hangover_ms=dict.fromkeys(_DELAYS, 2000),
    takes_folder=True,
    max_tracks=2,
)
_HELLO = [
    (" Captions", 400, 900), (" appear", 900, 1300), (" while", 1300, 1500), (" you", 1500, 1600),
    (" speak,", 1600, 2100), (" word", 2300, 2600), (" by", 2600, 2800), (" word.", 2800, 3200),
]  # fmt: skip


def availability(models_dir: Path) -> list[Availability]:
    """Always there."""
    return [Availability("scripted", "hello", True, "Speaks a script.")]


def load(options: LoadOptions, report: Report) -> ScriptedEngine:
    """Read the script. Raises EngineError if it is not one."""
    report(1.0, "script")
    if options.model in (None, "hello"):
        return ScriptedEngine(_HELLO, "hello")
    path = Path(str(options.model))
    try:
        value = json.loads(path.read_text("utf-8"))
        lines, slowness = value, 0.0
        if isinstance(value, dict) and "script" in value:
            lines, slowness = value["script"], float(value.get("slowness", 0))
        scripts = lines if isinstance(lines, dict) else {_EVERY: lines}
        read = {str(lane): _script(each) for lane, each in scripts.items()}
        return ScriptedEngine(read, path.name, slowness)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(
            Sentence("{path} is not a script.", path=path), 'It holds [["text", start, end], …].'
        ) from error


def _script(lines: Any) -> Script:
    return [(str(text), int(start), int(end)) for text, start, end in lines]


class ScriptedEngine:
    """Satisfies `base.Engine`."""

    info = INFO
    device = "cpu"

    def __init__(
        self, script: Script | Mapping[str, Script], model: str, slowness: float = 0.0
    ) -> None:
        """`script`: what every lane says, or what each does."""
        self.model = model
        self._slowness = slowness
        self._scripts = script if isinstance(script, Mapping) else {_EVERY: script}
        self._streams: list[ScriptedStream] = []

    def open(self, options: StreamOptions) -> ScriptedStream:
        for delay in options.delays_ms:
            INFO.check_delay(delay)
        INFO.check_language(options.language)
        script = self._scripts.get(options.lane, self._scripts.get(_EVERY, []))
        stream = ScriptedStream(script, options)
        self._streams.append(stream)
        return stream

    def advance(self) -> list[Event]:
        if self._slowness:
            time.sleep(self._slowness * sum(stream.waiting_s for stream in self._streams))
        events = [event for stream in self._streams for event in stream.take()]
        self._streams = [stream for stream in self._streams if not stream.done]
        return events

    @property
    def idle(self) -> bool:
        return all(stream.idle for stream in self._streams)

    def close(self) -> None:
        self._streams.clear()


class ScriptedStream:
    """Satisfies `base.Stream`: follows the clock of the audio pushed, not its sound."""

    def __init__(self, script: list[tuple[str, int, int]], options: StreamOptions) -> None:
        self._options = options
        self._script = [line for line in script if line[1] >= options.start_ms]
        self._delays = list(options.delays_ms)
        self._next = [0] * len(self._delays)
        self._samples = 0
        self._taken = -1
        self._finishing = False
        self.done = False

    @property
    def idle(self) -> bool:
        return self._taken == self._samples and not (self._finishing and not self.done)

    @property
    def waiting_s(self) -> float:
        """Sound pushed since the last `take()`."""
        return (self._samples - max(self._taken, 0)) / SAMPLE_RATE

    def push(self, pcm: Pcm, speech: float) -> None:
        self._samples += len(pcm)

    def set_delay(self, track: int, ms: int) -> None:
        INFO.check_delay(ms)
        self._delays[track] = ms

    def finish(self) -> None:
        self._finishing = True

    def close(self) -> None:
        self.done = True

    def take(self) -> list[Event]:
        """Everything that has become due since the last call."""
        if self.idle or self.done:
            return []
        events: list[Event] = []
        heard = self._options.start_ms + self._samples * 1000 // SAMPLE_RATE
        for track, delay in enumerate(self._delays):
            due = heard if self._finishing else heard - delay
            events += self._take_track(track, due, heard)
        self._taken = self._samples
        self.done = self._finishing
        return events

    def _take_track(self, track: int, due: int, heard: int) -> list[Event]:
        lane, utterance = self._options.lane, self._options.utterance
        events: list[Event] = []
        settled = max(due, self._options.start_ms)
        while self._next[track] < len(self._script):
            text, start, end = self._script[self._next[track]]
            if end > due:
                if start < heard:
                    events.append(Tail(lane, track, utterance, text))
                    settled = min(settled, start)
                break
            events.append(Word(lane, track, utterance, text, start, end, None))
            self._next[track] += 1
        return [*events, Progress(lane, track, heard, settled)]
