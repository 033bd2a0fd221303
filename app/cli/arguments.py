"""The command line's grammar: argparse and nothing else, so that `--help` is instant.

Knows the names of commands and options; what they mean is for each command's module.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any, NoReturn

from app import __version__

STANDARD_OUTPUT = "-"  # as --output
_DIGITS = 15

_ENGINES = (
    "embedded, ggml, voxtral-torch, voxtral-mlx, voxtral-cpu, voxtral for the best of these three, "
    "or remote for a server"
)


class Parser(argparse.ArgumentParser):
    """argparse, except that a mistake costs the reader one sentence instead of a usage block."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False  # an abbreviation that works today may be ambiguous later
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        from app.core.script import harmless

        sentence = harmless(message[:1].upper() + message[1:].rstrip("."))
        self.exit(2, f"{self.prog}: {sentence}. See {self.prog} --help.\n")


def build_parser() -> Parser:
    """The whole grammar. `Namespace.command` is None for plain `voxline`."""
    parser = Parser(
        prog="voxline",
        description="Live captions on top of every window. Without a command: opens the window, "
        "or captions in the terminal where there is no display.",
    )
    parser.add_argument("--version", action="version", version=f"voxline {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=Parser
    )
    for name, (summary, add_arguments) in _COMMANDS.items():
        add_arguments(commands.add_parser(name, help=summary, description=summary))
    return parser


def build_window_parser() -> Parser:
    """The grammar of `voxline-gui`."""
    parser = Parser(prog="voxline-gui", description="Live captions on top of every window.")
    parser.add_argument("--version", action="version", version=f"voxline {__version__}")
    parser.add_argument("--new-session", action="store_true", help="begin a new session")
    parser.add_argument("--show-captions", action="store_true", help="show the captions")
    parser.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="audio or video to transcribe"
    )
    return parser


def engine_options(parser: argparse.ArgumentParser, several_delays: bool = False) -> None:
    """The options that choose an engine, shared by every command that loads one."""
    group = parser.add_argument_group("engine")
    group.add_argument(
        "--engine", metavar="E", default="embedded", help=f"{_ENGINES} (default: %(default)s)"
    )
    group.add_argument("--model", metavar="M", help="a model's name, or a folder with one")
    group.add_argument(
        "--delay-ms",
        metavar="N,N…" if several_delays else "N",
        type=delay_list if several_delays else positive_int,
        help="how long the engine may wait for context, in milliseconds",
    )
    group.add_argument("--language", metavar="L", help="ISO 639-1 code, if the engine takes one")
    group.add_argument(
        "--hotwords",
        metavar="FILE|WORDS",
        help="names and terms to expect: a text file with one a line, or a list with commas "
        "(Voxtral only)",
    )
    group.add_argument(
        "--words",
        metavar="FILE",
        type=Path,
        help="your names and words, as the preferences export them: word, what it sounds like, "
        "alert; the first alone will do",
    )
    group.add_argument("--device", metavar="D", help="cpu, cuda or mps (default: the best here)")
    group.add_argument(
        "--precision",
        metavar="P",
        help="of Voxtral's weights: fp32, bf16, fp16, int8 or int4 (default: the best that fits)",
    )
    _server_options(parser)


def _server_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "server", "with --engine remote; `voxline key set URL` stores the key, if it wants one"
    )
    group.add_argument(
        "--url",
        metavar="URL",
        action="append",
        help="address of the server, as wss://captions.example.org; again for more servers, of "
        "which the least busy is taken (default: those of the preferences)",
    )
    group.add_argument(
        "--dialect", metavar="D", help="vllm, mistral or openai (default: told by the address)"
    )
    group.add_argument(
        "--ca-file", metavar="FILE", help="certificates to trust besides the system's (PEM)"
    )
    group.add_argument(
        "--agree",
        action="store_true",
        help="agree that what is heard is sent to these servers, without being asked",
    )


def _number(text: str) -> int | None:
    """A whole number, 0 included; None if it is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > _DIGITS:  # neither the library of sessions nor a clock could take it
        raise argparse.ArgumentTypeError(f"{text[:_DIGITS]}… is too large a number")
    return int(text)


def positive_int(text: str) -> int:
    """A whole number above 0."""
    if not (number := _number(text)):
        raise argparse.ArgumentTypeError(f"“{text}” is not a whole number above 0")
    return number


def port_number(text: str) -> int:
    """A port of this computer; 0: any that is free."""
    number = _number(text)
    if number is None or number > 65_535:
        raise argparse.ArgumentTypeError(f"“{text}” is not a port from 0 to 65535")
    return number


def delay_list(text: str) -> tuple[int, ...]:
    """Delays, or other numbers, separated by commas, each once, in the order given."""
    return tuple(dict.fromkeys(positive_int(part.strip()) for part in text.split(",")))


def seconds(text: str) -> float:
    """A duration above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds above 0")
    return value


def _listen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        metavar="S",
        help="meeting (microphone and this computer's sound: the default), microphone, system, "
        "app:NAME (what one application plays), a source's id or name as `voxline sources` lists "
        "them, or a file",
    )
    engine_options(parser)
    parser.add_argument("--seconds", metavar="S", type=seconds, help="stop after this long")
    parser.add_argument(
        "--srt",
        metavar="FILE",
        type=Path,
        help="where the subtitles are saved; .vtt, .txt or .json: in that format",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file --srt names")
    parser.add_argument(
        "--no-names",
        action="store_true",
        help="of a meeting: leave out of the subtitles who speaks",
    )
    parser.add_argument(
        "--as-shown",
        metavar="FILE",
        type=Path,
        help="save the captions as they were shown, too: their transcript may hear better",
    )
    parser.add_argument(
        "--no-record",
        action="store_true",
        help="hear nothing a second time: the transcript is what the captions were",
    )
    parser.add_argument("--json", action="store_true", help="print events as JSON Lines")
    group = parser.add_argument_group("captions page")
    group.add_argument(
        "--page", action="store_true", help="show captions in browsers on this computer, too"
    )
    group.add_argument(
        "--page-network",
        action="store_true",
        help="… and in the local network, to whoever has the address; not encrypted",
    )
    group.add_argument(
        "--page-port", metavar="N", type=port_number, help="where (default: 8422; 0: any free)"
    )
    feeds = parser.add_argument_group("feeds: captions for other programs, as they come")
    feeds.add_argument(
        "--follow",
        metavar="FILE",
        type=Path,
        help="a file that grows, for programs that read along: .srt, .vtt or .txt",
    )
    feeds.add_argument(
        "--zoom",
        action="store_true",
        help="into a Zoom meeting; its caption URL is in VOXLINE_ZOOM_URL, or is asked for",
    )
    feeds.add_argument(
        "--obs",
        metavar="SOURCE",
        help="into this text source of OBS; a password is in VOXLINE_OBS_PASSWORD",
    )
    feeds.add_argument("--obs-address", metavar="URL", help="of OBS (default: ws://127.0.0.1:4455)")


class _Formats(Container[str]):
    """The names of the formats there are, looked up only when one is asked for or listed: the
    table imports all that writes them.
    """

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        from app.core.export import FORMATS

        return iter(FORMATS)


def _transcribe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="audio or video, or - for standard input",
    )
    engine_options(parser)
    parser.add_argument(
        "--track",
        metavar="N|LANGUAGE",
        help="which audio track, by its number or language (default: the usual one)",
    )
    parser.add_argument(
        "--format",
        metavar="F",
        choices=_Formats(),
        default="srt",
        help="what to write: %(choices)s (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR|-",
        help="folder for the results, or - for standard output (default: beside each input)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def _models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", required=True, parser_class=Parser
    )
    for name, (summary, add_arguments) in _MODELS_ACTIONS.items():
        add_arguments(actions.add_parser(name, help=summary, description=summary))


def _verify_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="as the list has it (default: all that are here)"
    )
    _json(parser)


def _named_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `voxline models list` has it")


def _agreed_model(parser: argparse.ArgumentParser) -> None:
    _named_model(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _pack(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", required=True, parser_class=Parser
    )
    for name, (summary, add_arguments) in _PACK_ACTIONS.items():
        add_arguments(actions.add_parser(name, help=summary, description=summary))


def _install_pack(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    for kind, what in _PACK_KINDS.items():
        which.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=what)
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        type=Path,
        help="take the wheels from this folder, without a network",
    )
    parser.add_argument(
        "--python", metavar="PATH", type=Path, help="run it on this Python (default: it finds one)"
    )
    _yes(parser)


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _sessions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", required=True, parser_class=Parser
    )
    for name, (summary, add_arguments) in _SESSIONS_ACTIONS.items():
        add_arguments(actions.add_parser(name, help=summary, description=summary))


def _search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="WORDS", nargs="+", help="what was said")
    _json(parser)


def _numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "numbers", metavar="NUMBER", nargs="+", type=positive_int, help="as the list has it"
    )


def _show_session(parser: argparse.ArgumentParser) -> None:
    _numbers(parser)
    parser.add_argument("--times", action="store_true", help="with the time of each paragraph")
    _range(parser)


def _export_session(parser: argparse.ArgumentParser) -> None:
    _numbers(parser)
    parser.add_argument(
        "--format",
        metavar="F",
        choices=_Formats(),
        default="srt",
        help="what to write: %(choices)s (default: %(default)s)",
    )
    parser.add_argument(
        "--output", metavar="DIR|-", help="folder, or - for standard output (default: this folder)"
    )
    _range(parser)
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def _rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="NUMBER", type=positive_int)
    parser.add_argument("title", metavar="NAME", help='"" takes it away')


def _range(parser: argparse.ArgumentParser) -> None:
    for name, what in (("--from", "only what was said from"), ("--until", "… until")):
        parser.add_argument(
            name,
            metavar="H:MM:SS",
            type=clock_ms,
            help=f"{what} this time of the session",
        )


def clock_ms(text: str) -> int:
    """A time of a session in milliseconds: "1:02:03", "62:03" or seconds."""
    parts = [_number(part) for part in text.split(":")]
    seconds = 0
    for part in parts:
        if part is None or len(parts) > 3:
            raise argparse.ArgumentTypeError(f"“{text}” is not a time like 1:02:03")
        seconds = seconds * 60 + part
    return seconds * 1000


def _convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bits",
        metavar="N",
        type=int,
        choices=(16, 8, 6, 4),
        help="of a weight, for mlx: 16, 8, 6 or 4 (default: 4); cpu has 4",
    )
    parser.add_argument(
        "--engine",
        choices=("mlx", "cpu"),
        default="mlx",
        help="whose format: MLX (Macs), or any other computer's processor (default: %(default)s)",
    )
    parser.add_argument("source", metavar="SRC", type=Path, help="folder with 16-bit weights")
    parser.add_argument("target", metavar="DST", type=Path, help="folder to be made")


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", metavar="MANIFEST.jsonl", type=Path)
    engine_options(parser, several_delays=True)
    parser.add_argument(
        "--live", action="store_true", help="feed the files at real-time pace, measure latency"
    )
    parser.add_argument("--subset", metavar="S", help="only the clips of this subset")
    _json(parser)


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifest",
        metavar="MANIFEST.jsonl",
        type=Path,
        nargs="?",
        help="clips to caption; `segments` give more words to time (default: the bundled sample)",
    )
    engine_options(parser)
    parser.add_argument("--subset", metavar="S", help="only the clips of this subset")
    parser.add_argument(
        "--against",
        choices=("transformers",),
        help="instead, compare Voxtral's step with another implementation on the same weights; "
        "more options: python -m model_backends.voxtral.torch.bench --help",
    )
    for name, metavar, what in (
        ("--threads", "N[,N]", "threads to try"),
        ("--context", "N[,N]", "positions of 80 ms heard before"),
    ):
        parser.add_argument(
            name,
            metavar=metavar,
            type=delay_list,
            help=f"with --engine voxtral-cpu and no model: {what}",
        )
    _json(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        default=8421,
        help="where to listen; 0: any that is free (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="an address of this computer; others reach it there, unencrypted, if they have the "
        "key (default: %(default)s, this computer alone)",
    )
    parser.add_argument(
        "--streams",
        metavar="N",
        type=positive_int,
        help="how many may speak at once (default: what this computer is likely to keep up with)",
    )
    engine_options(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help='print JSON Lines; the first is {"url": …, "key": …}',
    )


def _control(parser: argparse.ArgumentParser) -> None:
    verbs = "\n".join(f"  {name:14}{what}" for name, what in CONTROL_VERBS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"verbs:\n{verbs}"
    parser.add_argument("verb", metavar="VERB", choices=CONTROL_VERBS, help="one of those below")
    parser.add_argument(
        "state",
        metavar="on|off",
        nargs="?",
        choices=("on", "off"),
        help="for pause, hold, click-through and dictate (default: the other of the two)",
    )
    _json(parser)


def _key(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions", required=True, parser_class=Parser
    )
    for name, summary in _KEY_ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        action.add_argument("url", metavar="URL", help="the server's address")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


_MODELS_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("List the models this computer has or could have.", _json),
    "path": ("Tell the folder that holds models.", _json),
    "download": ("Get a model, or go on with one that broke off.", _agreed_model),
    "verify": ("Check models against what was published.", _verify_models),
    "remove": ("Delete a model.", _agreed_model),
    "licence": ("Print a model's licence.", _named_model),
    "convert": ("Pack Voxtral's weights into fewer bits, for a Mac or for a processor.", _convert),
}

_PACK_KINDS = {
    "cuda": "PyTorch for NVIDIA graphics cards",
    "cpu": "PyTorch for the processor: for trying things out, since --engine voxtral-cpu is faster",
    "mlx": "MLX, for Macs with Apple silicon",
}

_PACK_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "install": ("Get the pack that suits this computer, or go on where it stopped.", _install_pack),
    "status": ("Tell which packs there are, and what this computer could use.", _json),
    "verify": ("Check that what was installed is unchanged.", _json),
    "remove": ("Delete what was installed.", _yes),
}

_SESSIONS_ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("List the sessions that were kept, the newest first.", _json),
    "search": ("Find what was said, in all of them.", _search),
    "show": ("Print what was said.", _show_session),
    "export": ("Write subtitles or text.", _export_session),
    "rename": ("Give a session a name.", _rename),
    "delete": ("Delete sessions for good, with the subtitle files of Voxline’s.", _numbers),
}

_KEY_ACTIONS = {
    "set": "Store a server's key: asked for in the terminal, or read from standard input.",
    "status": "Tell whether a server's key is stored, and where.",
    "delete": "Delete a server's key.",
}

CONTROL_VERBS = {
    "show": "show the captions",
    "hide": "hide the captions; listening goes on",
    "toggle": "show the captions if they are hidden, else hide them",
    "pause": "pause listening, or go on",
    "hold": "hold the text, or let it go on; listening goes on",
    "click-through": "let clicks through the captions, or not",
    "dictate": "type what is said into the window in use, or not",
    "bigger": "bigger text",
    "smaller": "smaller text",
    "mark": "mark the place in the captions",
    "status": "tell what Voxline is doing",
}

# name: (summary, what adds its arguments); the module is app.cli.<name> with run(args) -> int
_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "listen": ("Caption a meeting, a microphone, this computer's sound or a file live.", _listen),
    "transcribe": ("Write subtitles or text for audio and video files.", _transcribe),
    "sessions": ("List, search, print, export or delete what was said before.", _sessions),
    "engines": ("List engines and models: available, or why not and what would help.", _json),
    "sources": ("List what can be listened to.", _json),
    "models": ("List, download, check, remove or convert models.", _models),
    "pack": ("Let Voxtral run on a graphics card or a Mac: install, check, remove.", _pack),
    "doctor": ("Tell what matters when something does not work.", _json),
    "control": ("Show, hide, pause or ask the Voxline that is running.", _control),
    "key": ("Store, or delete, the key of a server that captions.", _key),
    "serve": ("Let other programs on this computer caption with its engine.", _serve),
    "evaluate": ("Measure word error rate, speed and latency on a manifest.", _evaluate),
    "bench": ("Measure latency, load and start-up time on this computer.", _bench),
}
