"""Two voices of a meeting on a real sound server: word errors of each lane against its transcript.

One reader's speech is played to the system's output and heard through its monitor, another's goes
into the microphone at the same time, and the command line's `listen` captions both. In real time.

    python -m app.measure.meeting ../shared/speech --server pipewire --model base
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app import paths
from app.core.voices import ME, THEM
from app.measure.capture import make_server
from app.measure.evaluation import Clip, normalizer, read_manifest, word_errors
from app.worker.link import child_env
from model_backends.base import SAMPLE_RATE, Pcm, UserError

_PAUSE_S = 0.7  # between clips
_LEAD_S = 2.0  # before the first: an idle output may take as long to send anything
_PATIENCE_S = 240.0


def main() -> int:
    """Caption both and print one row a lane."""
    options = _arguments()
    try:
        clips = read_manifest(options.speech / "manifest.jsonl", options.subset)
        halves = {
            THEM: _first(clips[::2], options.seconds),
            ME: _first(clips[1::2], options.seconds),
        }
        words = _captioned(options, halves)
    except UserError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    print("| lane | words | substituted | left out | put in | word error rate |")
    print("|---|---|---|---|---|---|")
    for lane, chosen in halves.items():
        said = " ".join(clip.text for clip in chosen)
        got = "".join(word["text"] for word in words if word["lane"] == lane)
        errors = word_errors(said, got, normalizer("en"))
        cells = f"{errors.words} | {errors.substituted} | {errors.deleted} | {errors.inserted}"
        print(f"| {lane} | {cells} | {100 * (errors.rate or 0.0):.1f} % |")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("speech", type=Path, help="a folder with a manifest.jsonl")
    parser.add_argument("--subset", default="read-en")
    parser.add_argument("--server", choices=("pulseaudio", "pipewire"), default="pulseaudio")
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech in each lane")
    parser.add_argument("--model", default="base")
    return parser.parse_args()


def _first(clips: Sequence[Clip], seconds: float) -> list[Clip]:
    chosen, length_s = [], 0.0
    for clip in clips:
        length_s += soundfile.info(str(clip.path)).duration + _PAUSE_S
        if length_s > seconds:
            break
        chosen.append(clip)
    return chosen


def _joined(clips: Sequence[Clip]) -> Pcm:
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE), dtype=np.float32)
    parts = [np.zeros(round(_LEAD_S * SAMPLE_RATE), dtype=np.float32)]
    for clip in clips:
        pcm, rate = soundfile.read(clip.path, dtype="float32")
        if rate != SAMPLE_RATE:
            raise UserError(f"{clip.path.name} is not at {SAMPLE_RATE} Hz.")
        parts += [pcm, pause]
    return np.concatenate(parts)


def _captioned(options: argparse.Namespace, halves: Mapping[str, Sequence[Clip]]) -> list[Any]:
    with tempfile.TemporaryDirectory(prefix="v") as name:  # short: a socket's path is limited
        folder = Path(name)
        server = make_server(options.server, folder)
        try:
            for lane, clips in halves.items():
                soundfile.write(folder / f"{lane}.wav", _joined(clips), SAMPLE_RATE, "PCM_16")
            return _listen(server, folder, options)
        finally:
            server.close()


def _listen(server: Any, folder: Path, options: argparse.Namespace) -> list[Any]:
    """Play both once the model is loaded and both are heard; the words that came."""
    seconds = options.seconds + _LEAD_S + 30
    command = [sys.executable, "-P", "-m", "app", "listen", "--json", "--source", "meeting"]
    command += ["--engine", "embedded", "--model", options.model, "--language", "en"]
    command += ["--seconds", str(seconds), "--srt", str(folder / "out.srt")]
    with (folder / "errors").open("w+b") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=_environment(server, folder)
        )
        assert process.stdout is not None
        words, playing = [], False
        for line in process.stdout:
            event = json.loads(line)
            if not playing and event.get("stage") == "listening":
                playing = True
                server.play(folder / f"{THEM}.wav", wait=False, sink=server.system_sink)
                server.play(folder / f"{ME}.wav", wait=False)
            if event["type"] == "word":
                words.append(event)
        if process.wait(_PATIENCE_S):
            errors.seek(0)
            raise UserError("Captions failed.", errors.read().decode()[-500:])
    return words


def _environment(server: Any, folder: Path) -> dict[str, str]:
    names = {"VOXLINE_DATA": "data", "VOXLINE_CONFIG": "config", "VOXLINE_TRANSCRIPTS": "saved"}
    own = {name: str(folder / part) for name, part in names.items()}
    models = {"VOXLINE_MODELS": str(paths.models_dir())}
    env: dict[str, str] = child_env() | server.variables | own | models
    return env


if __name__ == "__main__":
    sys.exit(main())
