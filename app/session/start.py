"""The worker's first message, made of what is wanted: for a session, a file, a benchmark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app import paths
from app.core.names import names_in
from app.models import trust
from app.worker import messages as m
from app.worker import packs
from model_backends import describe, resolve
from model_backends.base import (
    EngineError,
    EngineInfo,
    EngineOptions,
    Notice,
    Sentence,
    ServerOptions,
)
from model_backends.remote.addresses import dialect_of

BASE = "embedded"  # what every installation can start


def resolved(options: EngineOptions) -> tuple[EngineInfo, EngineOptions]:
    """What is known of the engine, and the options with its own name and a delay.

    Raises EngineError for what the engine does not offer.
    """
    info, options = suited(describe(resolve(options.engine, paths.models_dir())), options)
    info.check(options)
    delay_ms = options.delay_ms or info.default_delay_ms
    return info, replace(options, engine=info.name, delay_ms=delay_ms)


def trusted(options: EngineOptions) -> EngineOptions:
    """With weights that may be loaded. Raises EngineError as `trust.chosen()` does."""
    return replace(options, model=trust.chosen(options.engine, options.model, paths.models_dir()))


def suited(info: EngineInfo, options: EngineOptions) -> tuple[EngineInfo, EngineOptions]:
    """What the engine offers with the server that it is to ask; no server for one that is here.

    Raises EngineError for an address that is none.
    """
    server = options.server if info.takes_server else ServerOptions()
    if server:
        server = replace(server, dialect=dialect_of(server.urls, server.dialect))
    options = replace(options, server=server)
    return info.suited(options, paths.models_dir()), options


def known(options: EngineOptions) -> tuple[EngineOptions, Notice | None]:
    """The options with an engine that there is, and without what it does not offer.

    An engine of another version, or misspelt in the settings, is no reason not to caption: the
    embedded one stands in, with the notice that tells so.
    """
    try:
        engine = resolve(options.engine, paths.models_dir())
        info, options = suited(describe(engine), options)
    except EngineError as error:
        hint = Sentence(
            "The embedded engine captions meanwhile; choose another one in the preferences."
        )
        return _with_base(options), Notice("", "engine", error.message, hint)
    unknown = _unknown_language(info, options)
    if unknown is not None:
        return _with_base(options), unknown
    return info.fitting(replace(options, engine=engine)), None


def _unknown_language(info: EngineInfo, options: EngineOptions) -> Notice | None:
    """What is told where the model that is chosen does not know the language that is: the embedded
    one, which knows 99, stays. Engines that cannot be told a language at all find it themselves."""
    here = info.name != BASE and not info.takes_server
    if not here or options.language is None or not info.languages:
        return None
    if options.language in info.languages_of(options.model):
        return None
    message = Sentence(
        "{label} does not know the language “{language}” with this model.",
        label=info.label,
        language=options.language,
    )
    hint = Sentence("The embedded engine captions; choose another model or language.")
    return Notice("", "language", message, hint)


def _with_base(options: EngineOptions) -> EngineOptions:
    return describe(BASE).fitting(replace(options, engine=BASE, model=None, device=None))


def startable(options: EngineOptions) -> tuple[EngineOptions, Notice | None]:
    """The options with an engine that this app can start: those given, or the embedded one's where
    a broken acceleration pack, or a model that nobody has checked, is all that there is, with the
    notice that tells so."""
    broken = packs.trouble(options.engine)
    if broken is not None:
        return _with_base(options), Notice("", "pack", broken.reason, _meanwhile(broken.hint))
    try:
        return trusted(options), None
    except EngineError as error:
        notice = Notice("", "unchecked", error.message, _meanwhile(error.hint))
        return _with_base(options), notice


def _meanwhile(hint: str) -> Sentence:
    return Sentence("{hint} The embedded engine captions meanwhile.", hint=hint)


def start_message(
    options: EngineOptions, realtime: bool = True, record_ms: int | None = None
) -> m.Start:
    """`options` as `resolved()` returns them. One track, with their delay, and one at `record_ms`
    if the engine makes the record from the same sound.

    The user's names are corrected whatever the engine; it is told to expect them if it can be.
    Raises EngineError as `trusted()`, and for a broken acceleration pack: every worker begins here.
    """
    broken = packs.trouble(options.engine)
    if broken is not None:
        raise EngineError(broken.reason, broken.hint)
    options = trusted(options)
    _check_text(options.model or "")
    return m.Start(
        version=m.PROTOCOL_VERSION,
        engine=options.engine,
        models_dir=str(paths.models_dir()),
        model=options.model,
        device=options.device,
        language=options.language,
        delays_ms=tuple(ms for ms in (options.delay_ms, record_ms) if ms is not None),
        realtime=realtime,
        extra=_extra(options),
        names=options.names,
    )


def _check_text(model: str) -> None:
    """Names of files are bytes on some systems; those that are no text cannot be told a worker."""
    try:
        model.encode()
    except UnicodeEncodeError as error:
        shown = model.encode("utf-8", "replace").decode()
        raise EngineError(
            Sentence("The name of the model, “{name}”, holds bytes that are no text.", name=shown),
            Sentence("Rename it, or choose another model."),
        ) from error


def _extra(options: EngineOptions) -> dict[str, Any]:
    """What only some engines know; nothing where nothing was chosen."""
    known: dict[str, Any] = {"precision": options.precision, "hotwords": _expected(options)}
    if options.engine == "ggml":
        known["sample"] = str(paths.resource("sample/jfk.flac"))
    server = options.server
    if server:  # a key is none of it: the worker looks for that itself
        known["server"] = {
            "urls": list(server.urls),
            "dialect": server.dialect,
            "ca_file": server.ca_file,
            "agreed": list(server.agreed),
            "key_file": str(paths.key_file()),
        }
    return {name: value for name, value in known.items() if value}


def _expected(options: EngineOptions) -> list[str]:
    """The words that the engine is told to expect."""
    if not describe(options.engine).suited(options, paths.models_dir()).takes_hotwords:
        return list(options.hotwords)
    return list(dict.fromkeys([*options.hotwords, *(n.word for n in names_in(options.names))]))
