"""The door to PyPI's `transcribe-cpp`: loads a model, and says in our sentences what goes wrong.
Nothing else imports the library. https://pypi.org/project/transcribe-cpp/
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

from model_backends.base import EngineError, Sentence
from model_backends.ggml.info import INSTALL, NOT_INSTALLED, PACKAGE

log = logging.getLogger(__name__)

VERSION = "0.4.1"  # its API still moves: this one and no other
_GPUS = ("metal", "cuda", "rocm", "vulkan")  # in the order in which they are asked for
_DEVICES = ("cpu", "gpu", *_GPUS)


def library() -> Any:
    """The module. Raises EngineError where it is not installed, cannot run here, or is another
    version than ours."""
    # a failed check of ggml's ends the process; by default it starts a debugger before that
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    try:
        module = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise EngineError(NOT_INSTALLED, INSTALL) from error
    except Exception as error:  # its native part is loaded by the import, and may not fit
        raise EngineError(
            Sentence("The library transcribe-cpp cannot run on this computer ({why}).", why=error),
            Sentence("Choose another engine."),
        ) from error
    if module.__version__ != VERSION:
        raise EngineError(
            Sentence(
                "Voxline is made for transcribe-cpp {ours}, and {found} is installed.",
                ours=VERSION,
                found=module.__version__,
            ),
            Sentence("Install it with: pip install transcribe-cpp=={ours}", ours=VERSION),
        )
    module.set_log_callback(_log)
    return module


def backend_of(device: str | None, heavy: bool) -> str:
    """What the library calls a device. None: the processor, and a graphics card where the model is
    `heavy` or the machine is a Mac. Raises EngineError for a device that is not here."""
    if device is None:
        return "auto" if heavy or sys.platform == "darwin" else "cpu"
    if device not in _DEVICES:
        raise EngineError(
            Sentence("The ggml engine knows no device “{device}”.", device=device),
            Sentence("It knows: {devices}.", devices=", ".join(_DEVICES)),
        )
    module = library()
    if device == "gpu":
        for backend in _GPUS:
            if module.backend_available(backend):
                return backend
    elif module.backend_available(device):
        return device
    raise EngineError(
        Sentence("The ggml engine finds no “{device}” on this computer.", device=device),
        Sentence("Leave out --device, or choose: cpu."),
    )


def open_model(file: Path, backend: str) -> Any:
    """A loaded `transcribe_cpp.Model`; its weights are mapped, so several share the memory.

    Raises EngineError.
    """
    module = library()
    try:
        return module.Model(str(file), backend=backend)
    except module.OutOfMemory as error:
        raise no_memory(file.name) from error
    except module.TranscribeError as error:
        raise EngineError(
            Sentence("{name} cannot be loaded ({why}).", name=file.name, why=_why(error)),
            Sentence("Download the file again, or choose another model."),
        ) from error


def no_memory(name: str) -> EngineError:
    return EngineError(
        Sentence("There is not enough memory for {name}.", name=name),
        Sentence("Close other programs, or choose a smaller model."),
    )


def _why(error: Exception) -> str:
    """The library's words, without the file's path."""
    return str(error).rpartition(": ")[2] or type(error).__name__


def _log(level: int, message: str) -> None:
    if text := message.strip():
        log.log({1: logging.DEBUG, 2: logging.WARNING, 3: logging.ERROR}.get(level, 10), "%s", text)
