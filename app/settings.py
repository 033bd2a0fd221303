"""What the user has chosen, as one frozen value; read from and written to `settings.toml`.

Values change by `dataclasses.replace()`; whoever replaces them calls `save()`. A value that is
missing, of the wrong type or out of range becomes its default; keys this version does not know
(an older or newer Voxline's) stay in the file, and so do the user's comments. Knows nothing of
windows, sound or engines: an engine that does not exist is refused where engines are known.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app import paths
from app.core.encoding import text_of
from app.core.names import without_alerts
from app.core.voices import named
from app.language import NAMES as LANGUAGES
from model_backends import on_disk
from model_backends.base import EngineOptions, Sentence, ServerOptions

if TYPE_CHECKING:
    from tomlkit.container import Container
    from tomlkit.items import Table

EDGES = ("none", "raised", "depressed", "uniform", "shadow")  # as 47 CFR 79.103 has them
_EDGES_OF_OLD = {"outline": "uniform"}
DOCKS = ("", "top", "bottom")
LINES = (1, 12)  # fewest and most caption lines
KEEP_DAYS = (0, 3650)
FONT_SIZES_PT = (8, 144)
OPACITIES = (0.0, 1.0)
TEXT_OPACITIES = (0.25, 1.0)  # below a quarter nothing could be read
WINDOW_OPACITIES = (0.2, 1.0)  # below a fifth the captions could not be found again

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_FILE = "settings.toml"
_FAR = 100_000  # pixels; Qt counts in 32 bits, and adds
_LONG_MS = 3_600_000
_LONGEST_KEYS = 40  # characters of a combination of keys
_MOST_CHARACTERS = 10_000  # of one text
_MOST_BYTES = 1_000_000  # of the file
_DEEPEST = 50  # parts of a key
_T = TypeVar("_T")


def _one_of(*allowed: str) -> Callable[[Any], bool]:
    return lambda value: value in allowed


def _between(bounds: tuple[float, float]) -> Callable[[Any], bool]:
    low, high = bounds
    return lambda value: low <= value <= high


def _is_dialect(value: Any) -> bool:
    from model_backends.remote.addresses import DIALECTS  # few settings name one

    return value in ("", *DIALECTS)


def _is_color(value: Any) -> bool:
    return _COLOR.fullmatch(value) is not None


def _is_geometry(value: Any) -> bool:
    return all(isinstance(box, list) and _is_box(box) for box in value.values())


def _is_box(box: list[Any]) -> bool:
    return (
        len(box) == 4
        and all(type(side) is int and -_FAR <= side <= _FAR for side in box)
        and box[2] > 0
        and box[3] > 0
    )


def _is_delays(value: Any) -> bool:
    return all(type(delay) is int and 0 < delay <= _LONG_MS for delay in value.values())


def _is_keys(value: Any) -> bool:
    return all(isinstance(keys, str) and len(keys) <= _LONGEST_KEYS for keys in value.values())


def _is_told(value: Any) -> bool:
    return all(type(told) is bool for told in value.values())


def _checked(default: Any, accepts: Callable[[Any], bool]) -> Any:
    """A field whose value from the file must also satisfy `accepts` (its type is checked first)."""
    return field(default=default, metadata={"accepts": accepts})


def _renamed(default: Any, accepts: Callable[[Any], bool], names: Mapping[Any, Any]) -> Any:
    """… and values that an older Voxline wrote under another name."""
    return field(default=default, metadata={"accepts": accepts, "renamed": names})


def _table(accepts: Callable[[Any], bool]) -> Any:
    return field(default_factory=dict, metadata={"accepts": accepts})


@dataclass(frozen=True, slots=True)
class OverlaySettings:
    """How the captions look and where they are."""

    lines: int = _checked(2, _between(LINES))
    font_family: str = ""  # "": the system's
    font_size: int = _checked(28, _between(FONT_SIZES_PT))  # points
    text_color: str = _checked("#ffffff", _is_color)
    text_opacity: float = _checked(1.0, _between(TEXT_OPACITIES))
    band_color: str = _checked("#000000", _is_color)  # behind the letters of each line
    band_opacity: float = _checked(0.0, _between(OPACITIES))
    background_color: str = _checked("#000000", _is_color)  # of the box
    background_opacity: float = _checked(0.85, _between(OPACITIES))
    window_opacity: float = _checked(1.0, _between(WINDOW_OPACITIES))
    show_tail: bool = False
    show_language: bool = True
    edge: str = _renamed("none", _one_of(*EDGES), _EDGES_OF_OLD)
    dock: str = _checked("", _one_of(*DOCKS))  # "": it floats where it was put
    click_through: bool = False
    hidden_from_sharing: bool = False  # others do not see it on a shared screen
    # screen name: x, y, width, height relative to that screen, in device-independent pixels
    geometry: Mapping[str, Sequence[int]] = _table(_is_geometry)


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """Where captions go besides windows. Passwords and Zoom's URL, which is one, are elsewhere."""

    obs: bool = False
    obs_url: str = ""  # "": an OBS on this computer
    obs_source: str = "Captions"  # a text source of it
    file: bool = False
    file_path: str = ""
    agreed: Mapping[str, bool] = _table(_is_told)  # host: what is said may be sent there


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the user has chosen. An empty text means "the default"."""

    overlay: OverlaySettings = field(default_factory=OverlaySettings)
    engine: str = "embedded"
    model: str = ""
    device: str = ""  # what the engine computes on
    precision: str = ""  # of the engine's weights
    delay_ms: Mapping[str, int] = _table(_is_delays)  # engine name: delay
    language: str = ""  # ISO 639-1; "": the engine finds out
    names: str = ""  # the user's names and words, as app.core.names writes them
    notify_names: bool = False  # have the desktop tell, too, when a name is said that alerts
    server_urls: str = ""  # of an engine that is elsewhere; several with spaces between them
    server_dialect: str = _checked("", _is_dialect)  # "": told by the address
    server_ca_file: str = ""  # certificates trusted besides the system's
    agreed_servers: Mapping[str, bool] = _table(_is_told)  # host: sound may be sent there
    source: str = ""  # as app.audio.choice writes it; "": nothing was chosen, so both voices
    start_listening_on_launch: bool = True
    keep_transcripts: bool = True
    keep_days: int = _checked(0, _between(KEEP_DAYS))  # then a session is deleted; 0: never
    boost_quiet_speech: bool = True  # from the next session on
    show_own_speech: bool = False  # in the captions, while others are heard; it is always kept
    own_name: str = ""  # of who sits at this computer; "": "You"
    others_name: str = ""  # of whom it plays; "": "Others"
    feeds: FeedSettings = field(default_factory=FeedSettings)
    captions_page: bool = False  # for this computer's browsers, from the start
    names_in_subtitles: bool = True  # where both speak, SubRip files say who
    keys: Mapping[str, str] = _table(_is_keys)  # verb: "Ctrl+Alt+C", "" for none; else its usual
    read_finished_lines: bool = False  # have a screen reader say each sentence once it is finished
    interface_language: str = _checked("", _one_of("", *LANGUAGES))  # "": the system's
    told: Mapping[str, bool] = _table(_is_told)  # what the user has been told, once is enough
    window: str = ""  # the main window's size and place, as Qt writes them; "": not shown yet

    @property
    def voice_names(self) -> Mapping[str, str]:
        """What the voices are called, by lane."""
        return named(self.own_name, self.others_name)

    @property
    def engine_options(self) -> EngineOptions:
        """The engine that is wanted, with the delay that was chosen for it."""
        return EngineOptions(
            engine=self.engine,
            model=self.model or None,
            device=self.device or None,
            precision=self.precision or None,
            delay_ms=self.delay_ms.get(self.engine),
            language=self.language or None,
            names=without_alerts(self.names),
            server=self.server_options,
        )

    @property
    def server_options(self) -> ServerOptions:
        """The server that an engine elsewhere is asked at, and what the user agreed to."""
        return ServerOptions(
            urls=tuple(self.server_urls.split()),
            dialect=self.server_dialect or None,
            ca_file=self.server_ca_file or None,
            agreed=tuple(host for host, yes in self.agreed_servers.items() if yes),
        )


def same(one: Settings, other: Settings) -> bool:
    """Equal, and written alike: of the places the last is the latest, which `==` does not see."""
    return one == other and list(one.overlay.geometry) == list(other.overlay.geometry)


def settings_file() -> Path:
    """Where the settings are kept."""
    return paths.config_dir() / _FILE


def none_kept() -> bool:
    """Whether nothing was ever chosen here: the settings of a newcomer."""
    return not os.path.lexists(settings_file())


def load() -> tuple[Settings, str | None]:
    """The saved settings, and a sentence for the user if they could not be read as they are.

    Never raises: a file that is not TOML is kept aside as `settings.broken-N.toml` and the
    defaults are returned.
    """
    path = settings_file()
    try:
        table = tomllib.loads(_read(path))
    except (FileNotFoundError, NotADirectoryError):
        return Settings(), None
    except OSError as error:
        return Settings(), Sentence(
            "The settings could not be read ({reason}): defaults are used.", reason=error.strerror
        )
    except (ValueError, RecursionError):  # not TOML, not even text, or nested without end
        return Settings(), _keep_aside(path)
    refused: list[str] = []
    settings = _from_table(Settings, table, refused)
    return settings, _refusal(refused)


def save(settings: Settings, path: Path | None = None) -> str | None:
    """Write the settings, whole or not at all; None: where `load()` looks.

    Returns a sentence for the user if that failed.
    """
    import tomlkit  # 30 ms, and nothing else at start-up needs it

    path = path or settings_file()
    try:
        paths.make_private(path.parent)
        document = _existing(path)
        try:
            _into_table(settings, document)
            text = tomlkit.dumps(document)
        except Exception:  # what tomlkit cannot change (its own kinds of error, and not only they)
            _keep_aside(path)
            document = tomlkit.document()
            _into_table(settings, document)
            text = tomlkit.dumps(document)
        on_disk.write_whole(path, text.encode())
    except OSError as error:
        return _not_saved(path, error)
    return None


def _not_saved(path: Path, error: OSError) -> str:
    reason, variable = error.strerror or str(error), paths.moved_by(path)
    if variable is None:
        template = "The settings could not be saved ({reason}). They hold until you quit."
        return Sentence(template, reason=reason)
    template = (
        "The settings could not be saved ({reason}). They hold until you quit; "
        "to keep them, start Voxline with {name} set to a folder that you may write to."
    )
    return Sentence(template, reason=reason, name=variable)


def _read(path: Path) -> str:
    """The file's text. Raises OSError, ValueError for what is no text, or too much of it."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        kind = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(kind):  # a pipe would never end
            raise OSError(errno.EINVAL, "it is not a file")
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("too long")
    text = text_of(data).replace("\r\n", "\n")
    if any(line.partition("=")[0].count(".") > _DEEPEST for line in text.splitlines()):
        raise ValueError("a key without end")  # its parts cost a parser the square of their number
    return text


def _keep_aside(path: Path) -> str:
    import shutil

    number = 1
    while (aside := path.with_name(f"settings.broken-{number}.toml")).exists():
        number += 1
    try:
        shutil.move(os.path.realpath(path), aside)  # a link stays, for what is written next
    except OSError:
        return Sentence(
            "The settings file is damaged and could not be moved aside: defaults are used."
        )
    template = "The settings file was damaged, so defaults are used. Your file is kept as {path}."
    return Sentence(template, path=aside)


def _refusal(refused: list[str]) -> str | None:
    if not refused:
        return None
    template = "Settings that make no sense went back to their defaults: {names}."
    return Sentence(template, names=", ".join(refused))


def _from_table(kind: type[_T], table: Mapping[str, Any], refused: list[str], at: str = "") -> _T:
    """Build a settings dataclass from a TOML table; append the keys not taken to `refused`."""
    default = kind()
    taken: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]  # every kind passed here is a dataclass
        if each.name not in table:
            continue
        value, usual = table[each.name], getattr(default, each.name)
        if isinstance(value, str):
            value = each.metadata.get("renamed", {}).get(value, value)
        if is_dataclass(usual) and isinstance(value, dict):
            taken[each.name] = _from_table(type(usual), value, refused, f"{at}{each.name}.")
        elif _fits(value, usual) and each.metadata.get("accepts", lambda _: True)(value):
            taken[each.name] = float(value) if isinstance(usual, float) else value
        else:
            refused.append(f"{at}{each.name}")
    return kind(**taken)


def _fits(value: Any, usual: Any) -> bool:
    """Whether a TOML value has the type of the usual one; a whole number may stand for a real."""
    if isinstance(usual, float):
        return type(value) in (int, float)
    if isinstance(usual, str):
        return isinstance(value, str) and len(value) <= _MOST_CHARACTERS and "\0" not in value
    return type(value) is type(usual)  # not isinstance: a bool is no number here


def _existing(path: Path) -> Container:
    """The file as it is, so that what this version does not know is kept; empty if unreadable."""
    import tomlkit

    try:
        return tomlkit.parse(_read(path))
    except (OSError, ValueError, RecursionError):
        return tomlkit.document()


def _into_table(settings: Any, table: Container | Table) -> None:
    import tomlkit

    for each in fields(settings):
        value = getattr(settings, each.name)
        if is_dataclass(value):
            if not isinstance(table.get(each.name), dict):
                table[each.name] = tomlkit.table()
            _into_table(value, table[each.name])
        elif isinstance(value, Mapping):
            table[each.name] = {key: _plain(item) for key, item in value.items()}
        elif table.get(each.name) != value:
            table[each.name] = value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
