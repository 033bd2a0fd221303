"""How long loading takes on this computer, without a model: a packed file of random weights of the
published model's shape is made on the disk (2.7 GB), loaded, and removed.

    python -m model_backends.voxtral.cpu.bench_load [--times N] [--size half] [--folder DIR]

The first load measures the computer and remembers it; the next ones find what is remembered. Each
is a process of its own, with the file in the system's cache, as when captions are begun again.
Printed is what passes by the clock and the processors' time, part by part, as a user is told them.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from model_backends.base import LoadOptions, UserError
from model_backends.voxtral.cpu.bench import SIZES, random_tensors
from model_backends.voxtral.cpu.library import checksum
from model_backends.voxtral.cpu.packed_file import FILE, packed_tensors, start_of
from model_backends.voxtral.spec import ModelSpec

_LISTED = 150_000  # words in the published vocabulary, of which 130,072 have an id
_CONTROL = ("<unk>", "<s>", "</s>")
HEAD = "| load | part | by the clock, s | processors, s |\n| --- | --- | --- | --- |\n"


def write_random(folder: Path, spec: ModelSpec) -> None:
    """A packed model's folder with random weights and made-up words."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = random_tensors(spec)
    sums = {name: checksum(data) for name, data in tensors.items()}
    with (folder / FILE).open("wb") as stream:
        stream.write(start_of(spec, sums))
        for packed in packed_tensors(spec):
            stream.write(tensors[packed.name].tobytes())
            stream.write(bytes(-packed.size % 64))
    (folder / "tekken.json").write_text(json.dumps(_words(spec.vocab)), "utf-8")


def _words(vocab: int) -> dict[str, object]:
    """A vocabulary in Tekken's form, as long as the published one is beside its model's."""
    special = {i: f"<SPECIAL_{i}>" for i in range(1000)}
    special |= dict(enumerate(_CONTROL)) | {32: "[STREAMING_PAD]", 33: "[STREAMING_WORD]"}
    words = (f" w{rank}" for rank in range(_LISTED * vocab // SIZES["full"].vocab))
    return {
        "config": {"default_vocab_size": vocab, "default_num_special_tokens": len(special)},
        "special_tokens": [
            {"rank": rank, "token_str": name, "is_control": True} for rank, name in special.items()
        ],
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(word.encode()).decode(),
             "token_str": word}
            for rank, word in enumerate(words)
        ],
    }  # fmt: skip


def timed_parts(folder: Path, cache: Path) -> list[tuple[str, float, float]]:
    """Load once: what the user is told, and the seconds until the next, clock and processors."""
    from model_backends.voxtral.cpu.load import load  # after the clock begins: it takes its time

    told = [("beginning", time.perf_counter(), time.process_time())]

    def report(_done: float, what: str) -> None:
        if what != told[-1][0]:
            told.append((what, time.perf_counter(), time.process_time()))

    load(LoadOptions(str(folder), None, folder, cache_dir=cache), report).close()
    after = [*told[1:], told[-1]]
    return [
        (what, later[1] - at, later[2] - worked)
        for (what, at, worked), later in zip(told, after, strict=True)
    ]


def _one_load(folder: Path, cache: Path) -> list[tuple[str, float, float]]:
    """The same in a process of its own, whose start comes first."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", __spec__.name, "--one", str(folder), str(cache)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    passed = time.perf_counter() - begun
    parts = [(str(what), float(clock), float(worked))
             for what, clock, worked in json.loads(done.stdout)]  # fmt: skip
    return [*parts, ("whole process, with Python", passed, sum(part[2] for part in parts))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as it grows; 1 with a sentence where it cannot run."""
    options = _options(arguments)
    if options.one:
        sys.stdout.write(json.dumps(timed_parts(*options.one)))
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="voxline-load-", dir=options.folder) as made:
            folder = Path(made) / "random"
            write_random(folder, SIZES[options.size])
            sys.stdout.write(HEAD)
            for number in range(options.times):
                for what, clock, worked in _one_load(folder, Path(made) / "cache"):
                    sys.stdout.write(f"| {number + 1} | {what} | {clock:.2f} | {worked:.2f} |\n")
                sys.stdout.flush()
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How long loading takes on this computer.")
    parser.add_argument("--size", choices=tuple(SIZES), default="full")
    parser.add_argument("--times", type=int, default=3, metavar="N")
    parser.add_argument("--folder", type=Path, help="where the file is made, instead of /tmp")
    parser.add_argument("--one", type=Path, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
