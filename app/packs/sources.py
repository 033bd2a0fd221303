"""Where wheels come from on this computer: pip's own configuration, else pip's own index.

    PIP_CONFIG_FILE, pip.conf (pip.ini) of the machine and of the user, PIP_… in the environment

The keys that say where wheels are: index-url, extra-index-url, find-links, no-index, cert. The
files and their order: https://pip.pypa.io/en/stable/topics/configuration/. Reads files and the
environment; asks nobody.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PYPI = "https://pypi.org/simple"  # pip's default
# PyTorch's own index has the builds that PyPI has not: +cpu for Linux, +cu130 for Windows
PYTORCH = "https://download.pytorch.org/whl"
_SECTIONS = ("global", "download", "install")  # the later says more precisely what is meant
_KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "cert")
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Sources:
    """Places to ask, the first that has a wheel is taken: its sha256 is known, whoever has it."""

    links: tuple[str, ...] = ()  # folders, or pages with links
    indexes: tuple[str, ...] = (PYPI,)
    certificates: str = ""  # a file with those that are trusted in place of the system's
    pytorch: str = PYTORCH  # "": nowhere but at the indexes

    def indexes_for(self, build: str) -> tuple[str, ...]:
        """… of a wheel whose maker calls its build so."""
        own = (f"{self.pytorch}/{build}",) if build and self.pytorch else ()
        return self.indexes + own

    def shown(self, build: str) -> str:
        """The places, for people: without the passwords that addresses may hold."""
        return ", ".join(map(without_password, [*self.links, *self.indexes_for(build)]))


def without_password(address: str) -> str:
    """What may be shown of an address."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def of_folder(folder: Path) -> Sources:
    """Nothing but what lies in this folder: no network."""
    return Sources(links=(str(folder),), indexes=(), pytorch="")


def configured(environ: Mapping[str, str] = os.environ) -> Sources:
    """As pip would go about it on this computer. Never raises: a file that is none says nothing."""
    said: dict[str, str] = {}
    for path in _files(environ):
        said |= _read(path)
    for key in _KEYS:
        value = environ.get("PIP_" + key.upper().replace("-", "_"), "")
        if value:
            said[key] = value
    indexes = [said.get("index-url", PYPI), *said.get("extra-index-url", "").split()]
    offline = said.get("no-index", "").lower() in _TRUE
    return Sources(
        links=tuple(said.get("find-links", "").split()),
        indexes=() if offline else tuple(index.rstrip("/") for index in indexes),
        certificates=said.get("cert", ""),
        pytorch="" if offline else PYTORCH,
    )


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Of the machine, then of the user; the later counts."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's own raises where there is no home
    if sys.platform == "win32":
        yield Path(environ.get("PROGRAMDATA", "C:/ProgramData"), "pip", "pip.ini")
        yield home / "pip" / "pip.ini"
        yield Path(environ.get("APPDATA", home), "pip", "pip.ini")
    else:
        yield from _unix_files(environ, home)
    if named:
        yield Path(named)


def _unix_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    else:
        shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        yield from (Path(each, "pip", "pip.conf") for each in reversed(shared.split(":")))
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    own = home / "Library" / "Application Support" / "pip"
    if sys.platform == "darwin" and own.is_dir():
        yield own / "pip.conf"
    else:
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")


def _read(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    found: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            here = {key.replace("_", "-"): value for key, value in parser[section].items()}
            found |= {key: here[key] for key in _KEYS if here.get(key)}
    return found
