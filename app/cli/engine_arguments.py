"""The options that choose an engine, or a server, shared by every command that loads one.

Argparse and nothing else, as `arguments`; what they mean is for `usage` and `servers`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.values import delay_list, positive_int

_ENGINES = (
    "embedded, ggml, voxtral-torch, voxtral-mlx, voxtral-cpu, voxtral for the best of these three, "
    "or remote for a server"
)


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
