"""The ggml engine: streams that share loaded models, one stream a model at a time. Satisfies
`base.Engine`. Knows no library: who loads a model is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from model_backends.base import (
    Acting,
    EngineError,
    EngineInfo,
    Event,
    Notice,
    Sentence,
    StreamOptions,
)
from model_backends.ggml.families import Family, Kind
from model_backends.ggml.floor import Floor
from model_backends.ggml.listening import Listening, listen
from model_backends.ggml.pace import Pace
from model_backends.ggml.stream import GgmlStream
from model_backends.ggml.trial import MOST_BEARABLE, first_delay

_PATIENCE_S = 0.25  # advance() takes no further step after this


class GgmlEngine:
    """`load_another` opens the same file once more, for a second voice. Raises EngineError."""

    def __init__(
        self,
        info: EngineInfo,
        name: str,
        device: str,
        family: Family,
        model: Any,
        load_another: Callable[[], Any],
        threads: int = 1,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.info, self.model, self.device = info, name, device
        self.family = family
        self._load_another, self._threads, self._clock = load_another, threads, clock
        self._models = [model]
        self._holders: dict[GgmlStream, Any] = {}  # stream: the model it holds
        self._streams: list[GgmlStream] = []
        # Voxtral's delay changes nothing of what hearing costs
        delays = () if family.kind is Kind.TEXT else tuple(sorted(family.choices))
        self._pace = Pace(delays)
        self._floor = Floor(clock)
        self._acting: set[str] = set()  # lanes of which was told that another delay acts
        self._notices: list[Event] = []
        self._doubted: set[str] = set()  # lanes on which what sounds like speech may be music
        self._alone = False  # there is no memory for another model
        self._assumes = False  # … a language, and has said so

    def expect(self, load: float) -> None:
        """It takes this share of a core, at its usual delay: where that is too much, streams begin
        with a longer one."""
        self._floor.forget()
        if load > MOST_BEARABLE and self._pace.delays_ms:
            self._floor.grow(first_delay(self._pace.delays_ms, self.info.default_delay_ms, load))

    def measured(self, load: float) -> None:
        """As `expect()`, found out just now: told with the first words."""
        self.expect(load)
        said = Sentence(
            "{name} takes about {share} % of one processor core here.",
            name=self.family.name,
            share=round(100 * load),
        )
        self._notices.append(Notice("", "measured", said))

    def open(self, options: StreamOptions) -> GgmlStream:
        """See `base.Engine.open`."""
        if len(options.delays_ms) != 1:
            raise EngineError(
                Sentence("{label} serves one delay at a time.", label=self.info.label),
                Sentence("Ask for one."),
            )
        self.info.check_delay(options.delays_ms[0])
        self.info.check_language(options.language, self.info.default_model)
        if options.realtime and not self.family.streams:
            raise files_only(self.family)
        stream = GgmlStream(
            options, self.info, self.family, self._lend, self._asked, options.lane in self._doubted
        )
        self._streams.append(stream)
        if options.delay_is_new:
            self._asked(stream)
        if options.realtime:
            self._floor.relax(self._voices * self._pace.load)
            stream.change_delay(max(self._floor.ms, stream.delay_ms))
            self._tell_acting(stream)
        return stream

    def advance(self) -> list[Event]:
        """See `base.Engine.advance`."""
        events, self._notices = self._notices, []
        deadline = self._clock() + _PATIENCE_S
        while (stream := self._next()) is not None:
            began, before = self._clock(), stream.waiting
            events += stream.step()
            self._release_ended()
            if stream.options.realtime:
                self._timed(stream, before - stream.waiting, self._clock() - began)
            if self._clock() >= deadline:
                break
        return [*events, *self._take_notices()]

    @property
    def idle(self) -> bool:
        return not self._notices and self._next() is None

    def close(self) -> None:
        """See `base.Engine.close`."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self._holders.clear()
        for model in self._models:
            model.close()
        self._models.clear()

    def _next(self) -> GgmlStream | None:
        """Whoever has waited with most sound, and has a model or can have one."""
        self._release_ended()
        able = [s for s in self._streams if s.work and (s in self._holders or self._has_room)]
        return max(able, key=lambda stream: stream.waiting, default=None)

    @property
    def _has_room(self) -> bool:
        return len(self._holders) < len(self._models) or not self._alone

    def _release_ended(self) -> None:
        for stream in [s for s in self._streams if s.done]:
            change = self._doubted.add if stream.doubted else self._doubted.discard
            change(stream.options.lane)
        self._streams = [stream for stream in self._streams if not stream.done]
        for stream in [s for s in self._holders if s.done]:
            del self._holders[stream]

    def _lend(self, stream: GgmlStream, delay_ms: int) -> Listening | None:
        """Begin a listening on the stream's own model, a free one, or another load of it."""
        model = self._holders.get(stream) or self._free_model(stream)
        if model is None:
            return None
        self._holders[stream] = model
        language = stream.options.language or self._assumed(stream)
        return listen(model, self.family, delay_ms, language, self._threads)

    def _free_model(self, stream: GgmlStream) -> Any:
        held = list(self._holders.values())
        for model in self._models:
            if not any(model is other for other in held):
                return model
        try:
            self._models.append(self._load_another())
        except EngineError as error:
            self._alone = True
            said = Sentence("Voices are heard one after the other: {why}", why=error.message)
            self._notices.append(Notice(stream.options.lane, "one-voice", said, error.hint))
            return None
        return self._models[-1]

    def _assumed(self, stream: GgmlStream) -> str | None:
        """A model that has to be told a language, and was told none, hears the first it knows."""
        known = tuple(self.family.languages)
        if self.family.detects or not known:
            return None
        if len(known) > 1 and not self._assumes:
            self._assumes = True
            said = Sentence(
                "{family} has to be told the language; “{code}” is taken.",
                family=self.family.name,
                code=known[0],
            )
            hint = Sentence("Choose the language, or name it with --language.")
            self._notices.append(Notice(stream.options.lane, "language-assumed", said, hint))
        return known[0]

    def _timed(self, stream: GgmlStream, samples: int, seconds: float) -> None:
        """Where the computer lags, chunks grow."""
        self._pace.record(samples, seconds)
        longer = self._pace.longer(stream.delay_ms, stream.waiting, self._voices)
        if longer is None or stream.done:
            return
        self._floor.grow(longer)
        self._pace.reset()
        stream.change_delay(self._floor.ms)
        self._tell_acting(stream)

    @property
    def _voices(self) -> int:
        return sum(stream.options.realtime for stream in self._streams)

    def _tell_acting(self, stream: GgmlStream) -> None:
        """Whoever shows a delay shows the one that acts."""
        lane, acts = stream.options.lane, stream.delay_ms != stream.chosen_ms
        if not acts and lane not in self._acting:
            return
        self._notices.append(Acting(lane, 0, stream.delay_ms))
        if not acts:
            self._acting.discard(lane)
            self._notices.append(Notice(lane, "longer-delay", ""))
            return
        self._acting.add(lane)
        if self._floor.is_news:
            self._floor.is_news = False
            self._notices.append(_longer_delay(lane, stream.delay_ms))

    def _asked(self, stream: GgmlStream) -> None:
        """The user has chosen a delay: whether it is carried is found out anew."""
        self._floor.forget()
        self._pace.reset()
        self._tell_acting(stream)

    def _take_notices(self) -> list[Event]:
        notices, self._notices = self._notices, []
        return notices


def _longer_delay(lane: str, ms: int) -> Notice:
    said = Sentence(
        "This computer is too slow for that delay: words now come {ms} ms behind.", ms=ms
    )
    hint = Sentence("Close other programs, or choose a longer delay.")
    return Notice(lane, "longer-delay", said, hint)


def files_only(family: Family) -> EngineError:
    return EngineError(
        Sentence("{family} hears sound files only; it does not stream.", family=family.name),
        Sentence("Choose Nemotron, Moonshine or Voxtral for captions, and this one for files."),
    )
