"""The command line's grammar: argparse and nothing else, so that `--help` is instant.

Knows the names of commands and options; what they mean is for each command's module.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from app import __version__
from app.cli.engine_arguments import engine_options
from app.cli.parser import Parser
from app.cli.values import Formats, clock_ms, delay_list, port_number, positive_int, seconds

STANDARD_OUTPUT = "-"  # as --output

_AddArguments: TypeAlias = Callable[[argparse.ArgumentParser], None]
_Table: TypeAlias = dict[str, tuple[str, _AddArguments]]  # name: (summary, what adds its arguments)
_Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"


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
    _add_each(commands, _COMMANDS)
    return parser


def _add_each(commands: _Subparsers, table: _Table) -> None:
    for name, (summary, add_arguments) in table.items():
        add_arguments(commands.add_parser(name, help=summary, description=summary))


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
        choices=Formats(),
        default="srt",
        help="what to write: %(choices)s (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR|-",
        help="folder for the results, or - for standard output (default: beside each input)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def _actions(table: _Table) -> _AddArguments:
    """What adds the actions of a command that has some."""

    def add(parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(
            dest="action", metavar="ACTION", title="actions", required=True, parser_class=Parser
        )
        _add_each(actions, table)

    return add


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
        choices=Formats(),
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


def _server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the server's address")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


_MODELS_ACTIONS: _Table = {
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

_PACK_ACTIONS: _Table = {
    "install": ("Get the pack that suits this computer, or go on where it stopped.", _install_pack),
    "status": ("Tell which packs there are, and what this computer could use.", _json),
    "verify": ("Check that what was installed is unchanged.", _json),
    "remove": ("Delete what was installed.", _yes),
}

_SESSIONS_ACTIONS: _Table = {
    "list": ("List the sessions that were kept, the newest first.", _json),
    "search": ("Find what was said, in all of them.", _search),
    "show": ("Print what was said.", _show_session),
    "export": ("Write subtitles or text.", _export_session),
    "rename": ("Give a session a name.", _rename),
    "delete": ("Delete sessions for good, with the subtitle files of Voxline’s.", _numbers),
}

_KEY_ACTIONS: _Table = {
    "set": (
        "Store a server's key: asked for in the terminal, or read from standard input.",
        _server,
    ),
    "status": ("Tell whether a server's key is stored, and where.", _server),
    "delete": ("Delete a server's key.", _server),
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
_COMMANDS: _Table = {
    "listen": ("Caption a meeting, a microphone, this computer's sound or a file live.", _listen),
    "transcribe": ("Write subtitles or text for audio and video files.", _transcribe),
    "sessions": (
        "List, search, print, export or delete what was said before.",
        _actions(_SESSIONS_ACTIONS),
    ),
    "engines": ("List engines and models: available, or why not and what would help.", _json),
    "sources": ("List what can be listened to.", _json),
    "models": ("List, download, check, remove or convert models.", _actions(_MODELS_ACTIONS)),
    "pack": (
        "Let Voxtral run on a graphics card or a Mac: install, check, remove.",
        _actions(_PACK_ACTIONS),
    ),
    "doctor": ("Tell what matters when something does not work.", _json),
    "control": ("Show, hide, pause or ask the Voxline that is running.", _control),
    "key": ("Store, or delete, the key of a server that captions.", _actions(_KEY_ACTIONS)),
    "serve": ("Let other programs on this computer caption with its engine.", _serve),
    "evaluate": ("Measure word error rate, speed and latency on a manifest.", _evaluate),
    "bench": ("Measure latency, load and start-up time on this computer.", _bench),
}
