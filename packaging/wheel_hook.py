"""Builds the processor engine's library into the wheel, where there is a C compiler.

The wheel is then of one platform (any Python 3); without a compiler it is as pure as before, and
Voxtral runs in PyTorch on processors. Hatchling finds this by `pyproject.toml`.
"""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ENGINE = Path("model_backends/voxtral/cpu")


class NativeHook(BuildHookInterface[Any]):
    """One file more, and a platform's tag."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build = _module(Path(self.root) / _ENGINE / "build.py")
        folder = Path(self.directory) / "native"
        try:
            library = build.build(folder)
        except build.BuildError as error:
            self.app.display_warning(f"{error} The wheel is built without the processor engine.")
            return
        build_data["force_include"][str(library)] = f"{_ENGINE}/native/{library.name}"
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def _module(path: Path) -> ModuleType:
    """build.py alone: it needs nothing but the standard library."""
    spec = importlib.util.spec_from_file_location("voxline_native_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
