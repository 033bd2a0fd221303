"""What goes into the frozen app: modules and data. Of libraries knows `libraries.py`.

`voxline.spec` asks here, and so do the checks of what came out. Knows PyInstaller's lists of
`(target, source, kind)`, and nothing else of it.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import eight_bits
import libraries
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from product import ROOT, WEIGHTS, product

# No engine's tensor library, no tests, no toolkit of others: the base captions without them, and
# what only `voxline evaluate` or a conversion needs is told there as missing.
EXCLUDED = (
    *("torch", "torchvision", "torchaudio", "functorch", "triton", "transformers", "safetensors"),
    *("mlx", "mlx_audio", "voxmlx", "jiwer", "whisper_normalizer", "rapidfuzz"),
    *(
        "tkinter",
        "_tkinter",
        "turtle",
        "idlelib",
        "pytest",
        "_pytest",
        "hypothesis",
        "mypy",
        "ruff",
    ),
    *("setuptools", "pkg_resources", "pip", "wheel", "ensurepip", "distutils", "pydoc_data"),
    *("scipy", "pandas", "matplotlib", "PIL", "IPython", "cv2", "sympy", "soundfile", "pysubs2"),
    *(
        "numpy.f2py",
        "numpy.testing",
        "numpy.distutils",
        "onnxruntime.tools",
        "onnxruntime.quantization",
    ),
    *("onnxruntime.transformers", "onnxruntime.training", "onnxruntime.datasets"),
    *("readline", "curses", "_curses", "_curses_panel", "nis", "_crypt", "crypt", "lib2to3"),
    *("dbm", "_dbm", "_gdbm", "PySide6.QtQml", "PySide6.QtQuick"),
    *("typer", "pydantic", "hatchling", "licensing"),
)
# PyInstaller's scripts that every process of the installed app, each worker too, would run as it
# starts, half of what a start costs, for nothing that Voxline uses. Each with the reason.
NEEDLESS_AT_START = {
    # loads QtCore to see whether Qt's own wheel says where its plugins lie, which it does, and sets
    # variables that `app.frozen` takes back
    "pyi_rth_pyside6",
    # reads the list of Python's own modules, for those who look for the source of a function; there
    # is no source in a bundle
    "pyi_rth_inspect",
    "pyi_rth_pkgutil",  # for those who ask which modules a package has; nobody does
    "pyi_rth_multiprocessing",  # for its workers; ours are `app.worker`'s
}
_QTS_OWN_WORDS = ("qtbase_de.qm", "qtbase_es.qm", "qtbase_fr.qm")  # as app/language.py has them
_LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors|thirdparty|third)", re.IGNORECASE)
# What packages bring and nobody opens at run time: code, what compilers want, what developers and
# shells want, Qt's (chosen by PyInstaller's own hook), and what is left out on purpose.
_NO_DATA = re.compile(
    r"\.(pyi?|pyc|typed|[ch]pp|[ch]|px[di]|pyx|a|lib|ini|pc|cmake|sh|bash|zsh|1|md|rst|cfg)$"
    r"|/(tests?|include|tools|datasets|assets)/|(licen[cs]e|notices?)[^/]*$|\.(so|pyd|dylib|dll)\b"
    r"|^(PySide6|shiboken6|numpy/(f2py|random/_examples))/|API_CHANGES",
    re.IGNORECASE,
)
# Ours that only make sense beside a tensor library, which the base has not; a pack has them.
_NOT_OURS = re.compile(r"model_backends\.voxtral\.(torch|mlx)\.(?!info$|chip$)|app\.measure\.kills")


@dataclass(frozen=True)
class Distribution:
    """One Python package that the app needs, as installed here."""

    name: str
    version: str
    metadata: importlib.metadata.Distribution


def distributions() -> list[Distribution]:
    """What `pyproject.toml` asks for, and what that asks for, on this system; by name.

    Raises PackageNotFoundError for one that is not installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, Distribution] = {}
    _collect([Requirement(text) for text in project["dependencies"]], found)
    return [found[name] for name in sorted(found)]


def _collect(wanted: Iterable[Requirement], found: dict[str, Distribution]) -> None:
    environment: dict[str, str] = {k: str(v) for k, v in default_environment().items()}
    environment["extra"] = ""
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate(environment)):
            continue
        metadata = importlib.metadata.distribution(requirement.name)
        found[name] = Distribution(metadata.name, metadata.version, metadata)
        _collect([Requirement(text) for text in metadata.requires or ()], found)


def modules() -> list[str]:
    """Every module of ours that the base can run; commands and engines are imported by name."""
    names = (
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in ("app", "model_backends")
        for path in sorted((ROOT / package).rglob("*.py"))
    )
    return [name for name in names if not _NOT_OURS.match(name) and not name.endswith("__main__")]


def data(scratch: Path) -> list[tuple[str, str]]:
    """(file or folder, folder in the bundle) of everything that is no module and no library."""
    return [
        *_resources(Path("app/_resources"), scratch),
        *_weights(scratch),
        *_worker_sources(scratch),
        *_metadata(),
    ]


def _resources(into: Path, scratch: Path) -> list[tuple[str, str]]:
    """As the wheel has them (pyproject.toml, force-include)."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    pairs = []
    for source, target in wanted.items():
        place = Path(target).relative_to("app/_resources")
        folder = into / place if (ROOT / source).is_dir() else (into / place).parent
        pairs.append((str(ROOT / source), str(folder)))
    if product().releases:
        page = scratch / "releases.url"
        page.write_text(product().releases + "\n", "ascii")
        pairs.append((str(page), str(into)))
    return pairs


def _weights(scratch: Path) -> list[tuple[str, str]]:
    """The embedded engine's weights in eight bits: made of the published ones, which are checked
    before, and checked again; else the build stops. Each user's first start checks them anew."""
    from model_backends.embedded import store

    target = "model_backends/embedded/bundled"
    pairs = []
    for model in WEIGHTS:
        published = store.ensure(model, scratch / "models", lambda fraction, text: None)
        carried = scratch / "bundled" / published.name
        known = store.MODELS[model].bundled_sha256
        eight_bits.convert(published, carried, known)
        if problems := store.check(carried, known):
            raise ValueError(f"Whisper {model} in eight bits: {' '.join(problems)}")
        pairs.append((str(carried), f"{target}/{carried.name}"))
    return pairs


def _worker_sources(scratch: Path) -> list[tuple[str, str]]:
    """Our modules as they are, for a worker on another interpreter (an acceleration pack's)."""
    folder = scratch / "worker_source"
    shutil.rmtree(folder, ignore_errors=True)
    unwanted = shutil.ignore_patterns(
        "__pycache__", "ui", "bundled", "measure", "*.pyc", "_resources"
    )
    for package in ("app", "model_backends"):
        shutil.copytree(ROOT / package, folder / package, ignore=unwanted)
    shutil.copytree(ROOT / "resources/silero", folder / "app/_resources/silero")
    library = native_library()
    if library is not None:
        shutil.copy(library, folder / "model_backends/voxtral/cpu/native" / library.name)
    return [(str(folder), "worker_source")]


def native_library() -> Path | None:
    """The processor engine's library, built from these sources; None without a C compiler.

    Its sources travel along: their hash is its name.
    """
    from model_backends.voxtral.cpu import build

    try:
        return build.find_library() or build.build(ROOT / "build" / "native")
    except build.BuildError:
        return None


def native_pairs() -> list[tuple[str, str]]:
    """The library and its sources, for the bundle."""
    target = "model_backends/voxtral/cpu/native"
    library = native_library()
    sources = sorted((ROOT / target).glob("*.[ch]"))
    return [(str(path), target) for path in [*sources, *([library] if library else [])]]


def _metadata() -> list[tuple[str, str]]:
    """Each distribution's name, version, licence texts and list of what is compiled into it; not
    the list of its files, which are elsewhere in a bundle."""
    pairs = []
    for each in distributions():
        info = info_folder(each.metadata)
        for path in [info / "METADATA", *parts_lists(each.metadata), *licence_files(each.metadata)]:
            pairs.append((str(path), str(path.relative_to(info.parent).parent)))
    return pairs


def info_folder(metadata: importlib.metadata.Distribution) -> Path:
    """The `.dist-info` of an installed distribution."""
    for file in metadata.files or ():
        if file.name == "METADATA":
            return Path(str(metadata.locate_file(file))).parent
    raise ValueError(f"{metadata.metadata['Name']} has no METADATA")


def parts_lists(metadata: importlib.metadata.Distribution) -> list[Path]:
    """What is compiled into a distribution, as its makers list it; of Python alone, nothing is."""
    if "Root-Is-Purelib: false" not in (metadata.read_text("WHEEL") or ""):
        return []
    return sorted(info_folder(metadata).glob("sboms/*.json"))


def licence_files(metadata: importlib.metadata.Distribution) -> list[Path]:
    """The texts of licences and notices that a distribution brings in its `.dist-info`."""
    info = info_folder(metadata)
    return sorted(
        path
        for path in info.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (_LICENCE.search(path.name) or "licenses" in path.relative_to(info).parts[:-1])
    )


def licence_texts(metadata: importlib.metadata.Distribution) -> list[Path]:
    """… and those that it brings beside its modules."""
    beside = [Path(str(metadata.locate_file(file))) for file in metadata.files or ()]
    top = info_folder(metadata).parent
    return licence_files(metadata) + sorted(
        path
        for path in beside
        if path.parent.parent == top
        and path.parent.suffix != ".dist-info"
        and path.suffix in ("", ".txt", ".md")
        and _LICENCE.search(path.name)
    )


def kept_data(datas: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """The data for the bundle: of Qt's translations those of our languages, no second copy of the
    voice detector, no bytecode."""
    for target, source, kind in datas:
        parts = Path(target).parts
        if "translations" in parts and "PySide6" in parts and parts[-1] not in _QTS_OWN_WORDS:
            continue
        if parts[:2] == ("faster_whisper", "assets") or target.endswith(".pyc"):
            continue
        if kind == "SYMLINK" and libraries.is_unused(target):
            continue  # it would lead to a library that is left out
        yield target, source, kind


def kept_scripts(scripts: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """What the app runs as it starts: its own beginning, and before it only what it needs."""
    return (entry for entry in scripts if entry[0] not in NEEDLESS_AT_START)


def forgotten_data(bundle: Path) -> list[str]:
    """Files that packages open beside their modules, as far as one can tell, and that the bundle
    has not: what nothing imports, PyInstaller does not see."""
    forgotten = []
    for each in distributions():
        for file in each.metadata.files or ():
            path = str(file)
            wanted = not (_NO_DATA.search(path) or ".dist-info/" in path or path.startswith(".."))
            if wanted and not (bundle / path).exists() and not (bundle / file.name).exists():
                forgotten.append(path)
    return sorted(forgotten)
