"""The engine protocol: every type and verb that an engine and its caller share.

An engine turns speech into words. The caller opens one *stream* per utterance, pushes audio,
and calls `advance()` to move all open streams in one batch:

    engine = load("embedded", "base", ...)
    stream = engine.open(StreamOptions(lane="me", utterance=0, delays_ms=(1000,), start_ms=12_340))
    while audio:
        stream.push(pcm, speech_score)
        for event in engine.advance(): ...          # Word, Tail, Progress, Notice
    stream.finish()
    while not stream.done:
        for event in engine.advance(): ...
    engine.close()

A file is the same stream fed fast (`realtime=False`); there is no second, offline, path.
All times are integer milliseconds since the session began. This module knows nothing about
processes, windows or sound cards, and imports nothing: the caption window waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000  # Hz; what every engine hears: mono float32 in [-1, 1]

Pcm: TypeAlias = "NDArray[np.float32]"  # shape (samples,), mono, 16 kHz, [-1, 1]


class Catalogue(Protocol):
    """One language: what templates are in it, and how it writes numbers."""

    def template(self, english: str) -> str:
        """The template in this language; as it is where the catalogue lacks it."""
        ...

    def counted(self, one: str, many: str, count: int) -> str:
        """The form of it that goes with so many."""
        ...

    def number(self, value: float) -> object:
        """Something that `str.format` writes as this language writes the number."""
        ...


class Sentence(str):
    """A sentence for the user that another language can say, too.

        Sentence("There is no file “{name}”.", name=path.name)

    It is the English text, so whoever prints it need not know; it keeps the template, which is
    what a catalogue is asked for, and the values, which may be sentences themselves. Raises
    KeyError for a value that the template names and nobody gave.
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Sentence:
        made = super().__new__(cls, template.format(**values))
        made.template = template
        made.values = values
        return made

    def said_in(self, catalogue: Catalogue) -> str:
        """The sentence in the language of `catalogue`."""
        values = {name: _value_in(catalogue, value) for name, value in self.values.items()}
        return self._template_in(catalogue).format(**values)

    def _template_in(self, catalogue: Catalogue) -> str:
        return catalogue.template(self.template)

    def to_json(self) -> dict[str, Any]:
        """What `from_json()` makes the same sentence of; values that JSON lacks become text."""
        return {
            "template": self.template,
            "values": {name: _plain(value) for name, value in self.values.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sentence:
        """Raises KeyError, TypeError, ValueError or IndexError for what is no sentence."""
        values: dict[str, Any] = {
            str(name): Sentence.from_json(value) if isinstance(value, dict) else value
            for name, value in data["values"].items()
        }
        if "one" in data:
            return Counted(data["one"], data["template"], **values)
        return Sentence(data["template"], **values)


class Counted(Sentence):
    """A sentence about a number of things, of which languages have forms of their own.

        Counted("1 word", "{count:,} words", count=n)

    In English `one` is for 1 alone, and `template` for all else.
    """

    one: str

    def __new__(cls, one: str, many: str, /, *, count: int, **values: Any) -> Counted:
        made = super().__new__(cls, one if count == 1 else many, count=count, **values)
        assert isinstance(made, Counted)
        made.one, made.template = one, many
        return made

    def _template_in(self, catalogue: Catalogue) -> str:
        return catalogue.counted(self.one, self.template, self.values["count"])

    def to_json(self) -> dict[str, Any]:
        return {"one": self.one, **super().to_json()}


def joined(*parts: str, between: str = " ") -> str:
    """Sentences one behind the other; empty ones are left out.

    What comes of it can still be said in another language, as `" ".join()` could not.
    """
    there = [part for part in parts if part]
    if len(there) < 2:
        return there[0] if there else ""
    names = [f"part{number}" for number in range(len(there))]
    template = between.join(f"{{{name}}}" for name in names)
    return Sentence(template, **dict(zip(names, there, strict=True)))


def _value_in(catalogue: Catalogue, value: Any) -> Any:
    if isinstance(value, Sentence):
        return value.said_in(catalogue)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return catalogue.number(value) if number else value


def _plain(value: Any) -> Any:
    if isinstance(value, Sentence):
        return value.to_json()
    return value if isinstance(value, (bool, int, float)) else str(value)


class UserError(Exception):
    """Something the user can understand and act on. `hint` says what to do next.

    Texts that hold a value (a name, a number) are `Sentence`s, so that they can be translated.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EngineError(UserError):
    """An engine cannot be had, or cannot do what was asked of it."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How one utterance is to be heard."""

    lane: str  # which voice source: "me", "them", ...
    utterance: int  # number given by whoever opens streams; copied into every Word
    delays_ms: tuple[int, ...]  # one output track per delay, all fed by the same audio
    start_ms: int  # session time of the first sample pushed
    language: str | None = None  # ISO 639-1, None: the engine finds out
    realtime: bool = True  # False: larger blocks are welcome, nobody is waiting for a word
    delay_is_new: bool = False  # the user has chosen it since the lane's last utterance


@dataclass(frozen=True, slots=True)
class Word:
    """A committed word. Never changes and is never taken back.

    `text` carries its own leading space where the script uses spaces, so that
    `"".join(w.text for w in words).strip()` is the transcript.
    """

    lane: str
    track: int
    utterance: int
    text: str
    start_ms: int
    end_ms: int
    language: str | None = None
    confidence: float | None = None  # 0..1, the least of its tokens' probabilities; if known


@dataclass(frozen=True, slots=True)
class Tail:
    """Tentative text after the last committed word; each Tail replaces the one before it whole."""

    lane: str
    track: int
    utterance: int
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a track has come. Both times only grow, through silence too.

    `heard_ms`: audio up to here has been looked at. `settled_ms`: every word that ends before
    this has been returned, and audio older than this need not be replayed after a crash.
    """

    lane: str
    track: int
    heard_ms: int
    settled_ms: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user about how the engine is doing; captions go on.

    It holds until it is taken back: by a notice of the same lane and code with an empty message.
    """

    lane: str
    code: str  # stable, for tests and translations: "behind", "mute", "smaller-model", ...
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Acting:
    """The delay at which a track is heard from now on, by the engine's own choice: longer than what
    was asked for where this computer carries no less, or what was asked for again."""

    lane: str
    track: int
    ms: int


Event: TypeAlias = Word | Tail | Progress | Notice | Acting
Report: TypeAlias = Callable[[float, str], None]  # (fraction 0..1, what is happening)


class Stream(Protocol):
    """One utterance being heard."""

    def push(self, pcm: Pcm, speech: float) -> None:
        """Add audio: any length; `speech` is the VAD's probability (0..1) for this block.

        Never blocks and never decodes; audio pushed is contiguous with what came before.
        """

    def set_delay(self, track: int, ms: int) -> None:
        """Change a track's delay from here on; loses and doubles no word.

        Raises EngineError for a delay the engine does not offer.
        """

    def finish(self) -> None:
        """No more audio: the following `advance()` calls flush what the delay holds back."""

    def close(self) -> None:
        """Drop the stream at once, flushed or not, and free what it holds."""

    @property
    def done(self) -> bool:
        """Finished, and every event has been returned (or closed)."""


class Engine(Protocol):
    """A loaded model. Used from one thread."""

    info: EngineInfo
    model: str  # what was loaded, for the transcript's header; may change as the engine adapts
    device: str

    def open(self, options: StreamOptions) -> Stream:
        """Start an utterance. Raises EngineError if it cannot take these options."""

    def advance(self) -> list[Event]:
        """Move every open stream by one bounded amount of work, batched; return what came of it.

        Quick and empty when there is nothing to do.
        """

    @property
    def idle(self) -> bool:
        """True when `advance()` would do nothing until more audio or a finish arrives."""

    def close(self) -> None:
        """Free the model's memory. Streams still open are dropped."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where an engine that is not on this computer is, and to whom sound may be sent."""

    urls: tuple[str, ...] = ()  # several: whichever is least busy
    dialect: str | None = None  # a key of `EngineInfo.dialects`; None: told by the address
    ca_file: str | None = None  # certificates that are trusted besides the system's (PEM)
    agreed: tuple[str, ...] = ()  # servers, as `Address.host` names them, that the user agreed to

    def __bool__(self) -> bool:
        return bool(self.urls)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Which engine is wanted, and how it is to hear. None: the engine's own choice."""

    engine: str = "embedded"  # "voxtral" stands for the better of the two
    model: str | None = None  # a name from `EngineInfo.models`, or a folder
    device: str | None = None
    precision: str | None = None  # of the weights
    delay_ms: int | None = None
    language: str | None = None  # ISO 639-1
    hotwords: tuple[str, ...] = ()  # words to expect: names, terms
    names: str = ""  # the user's list, as app.core.names writes it: what to expect and to correct
    server: ServerOptions = ServerOptions()


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What can be known about an engine without loading it."""

    name: str  # "embedded", "voxtral-torch", "voxtral-mlx"
    label: str  # for people
    models: tuple[str, ...]  # names `--model` takes (a folder may be allowed too)
    default_model: str
    delays_ms: tuple[int, ...]  # what the delay slider offers, ascending
    default_delay_ms: int
    languages: tuple[str, ...]  # ISO 639-1 codes the user may choose; () = the model decides
    hangover_ms: Mapping[int, int]  # per delay: silence to feed before an utterance is closed
    takes_folder: bool = False  # `--model` may name a folder with a checkpoint
    whole_files: bool = False  # hears a file best as one utterance, cut at very long pauses only
    word_error_rate: Mapping[int, float] = field(default_factory=dict)  # per delay, %, published
    max_tracks: int = 1  # delays one stream can serve at once
    record_delay_ms: int | None = None  # a second track at this delay makes a better record …
    hears_again: bool = False  # … or the same sound does, heard once more with nobody waiting
    precisions: tuple[str, ...] = ()  # of the weights, for the user to choose; () = no choice
    model_languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # if fewer
    takes_hotwords: bool = False  # may be told words to expect
    takes_server: bool = False  # hears elsewhere, at `ServerOptions.urls`
    takes_any_model: bool = False  # `models` is not the whole list: who serves them knows
    # how servers of each dialect differ from what is said here
    dialects: Mapping[str, EngineInfo] = field(default_factory=dict)
    # "delay", "language", "hotwords": why the user cannot choose it, if somebody else does
    decided_elsewhere: Mapping[str, str] = field(default_factory=dict)

    def suited(self, options: EngineOptions, models_dir: Path | None = None) -> EngineInfo:
        """What is known of the engine once these options have said which server it has, or which
        model, which may be a name in `models_dir`."""
        return self.dialects.get(options.server.dialect or "", self)

    def record_track_ms(self, delay_ms: int) -> int | None:
        """The delay of the track that is the record of captions at `delay_ms`; None: there is
        none, or the captions are as patient themselves."""
        patient = self.record_delay_ms
        return patient if patient is not None and patient > delay_ms else None

    def languages_of(self, model: str | None) -> tuple[str, ...]:
        """As `languages`, for one of the models; None is the default one."""
        return self.model_languages.get(model or self.default_model, self.languages)

    def check(self, options: EngineOptions) -> None:
        """Raise EngineError for the first of these options that the engine does not offer."""
        if self.takes_server and not options.server:
            raise EngineError(
                Sentence("{label} needs the address of a server.", label=self.label),
                Sentence(
                    "Name it with --url wss://…, or in the preferences, under “Speech model”."
                ),
            )
        if options.delay_ms is not None:
            self.check_delay(options.delay_ms)
        self.check_language(options.language, options.model)
        self.check_precision(options.precision)
        if options.hotwords and not self.takes_hotwords:
            raise EngineError(
                Sentence("{label} cannot be told which words to expect.", label=self.label),
                self.decided_elsewhere.get(
                    "hotwords", Sentence("Leave out --hotwords, or choose Voxtral.")
                ),
            )

    def fitting(self, options: EngineOptions) -> EngineOptions:
        """The options without a delay, language, precision, hotwords or server that it does not
        take."""
        languages = self.languages_of(options.model)
        return replace(
            options,
            delay_ms=options.delay_ms if options.delay_ms in self.delays_ms else None,
            language=options.language if options.language in languages else None,
            precision=options.precision if options.precision in self.precisions else None,
            hotwords=options.hotwords if self.takes_hotwords else (),
            server=options.server if self.takes_server else ServerOptions(),
        )

    def check_delay(self, ms: int) -> None:
        """Raise EngineError naming the delays on offer unless `ms` is one of them."""
        if ms not in self.delays_ms:
            offered = ", ".join(str(d) for d in self.delays_ms)
            if "delay" in self.decided_elsewhere:
                raise EngineError(
                    self.decided_elsewhere["delay"], Sentence("Leave out --delay-ms.")
                )
            raise EngineError(
                Sentence("{label} has no delay of {ms} ms.", label=self.label, ms=ms),
                Sentence("It offers, in milliseconds: {offered}.", offered=offered),
            )

    def check_precision(self, precision: str | None) -> None:
        """Raise EngineError naming the precisions on offer unless `precision` is one of them."""
        if precision is None or precision in self.precisions:
            return
        if not self.precisions:
            raise EngineError(
                Sentence("{label} has one precision only.", label=self.label),
                Sentence("Leave out --precision."),
            )
        raise EngineError(
            Sentence(
                "{label} has no precision “{precision}”.", label=self.label, precision=precision
            ),
            Sentence("It offers: {offered}.", offered=", ".join(self.precisions)),
        )

    def check_language(self, language: str | None, model: str | None = None) -> None:
        """Raise EngineError naming the languages on offer unless `language` is one of them."""
        known = self.languages_of(model)
        if language is None or language in known:
            return
        if language in self.languages:
            raise EngineError(
                Sentence(
                    "{label} does not know the language “{language}” with the model “{model}”.",
                    label=self.label,
                    language=language,
                    model=model or self.default_model,
                ),
                Sentence(
                    "That model takes: {languages}. Choose another.", languages=", ".join(known)
                ),
            )
        if not self.languages:
            usual = Sentence(
                "{label} finds the language itself; it cannot be told.", label=self.label
            )
            raise EngineError(
                self.decided_elsewhere.get("language", usual),
                Sentence("Leave out --language."),
            )
        raise EngineError(
            Sentence(
                "{label} does not know the language “{language}”.",
                label=self.label,
                language=language,
            ),
            Sentence("It takes: {languages}.", languages=", ".join(self.languages)),
        )


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine and model can be used on this computer now, and if not what would help."""

    engine: str
    model: str
    available: bool
    reason: str = ""  # one sentence: why not, or what was found
    hint: str = ""  # what to do next
    details: Mapping[str, Any] = field(default_factory=dict)  # JSON-able: device, memory, path ...


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What to load and where to look for it."""

    model: str | None  # a name from EngineInfo.models, a folder, or None for the default
    device: str | None  # "cpu", "cuda", "mps", or None for the best here
    models_dir: Path  # the app's own model folder
    language: str | None = None  # lets an engine refuse or choose early
    realtime: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)  # engine-specific, e.g. {"bits": 8}
    adapted: str = ""  # `Engine.model` as an earlier worker left it, where that changed by itself
    spoken: Mapping[str, str] = field(default_factory=dict)  # lane -> language it spoke last
    cache_dir: Path | None = None  # for what can be found out again; None: nothing is kept
