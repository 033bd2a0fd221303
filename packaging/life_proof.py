"""The Debian package's whole life on a computer of its own: an empty Debian, made and taken away.

    sudo python packaging/life_proof.py OLDER.deb NEWER.deb [--base FOLDER] [--keep]

`OLDER.deb` is a build with a lower version. Installs it with apt, starts it by its desktop entry,
has it caption speech from a virtual microphone, upgrades it while it captions, kills its worker and
then the app, starts the newer version, removes it. From the first start on there is no network and
/usr is read-only, but for apt. Exit status 1, and what went wrong, if any of it does. `--base`: a
root that `debootstrap --variant=minbase bookworm` made before, which is copied.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import empty_debian
import needs
from empty_debian import HANGS_S, Computer, Desk, LifeError, Person, came_true, wait_for
from product import ROOT
from tell import say

SAMPLE = ROOT / "resources" / "sample" / "jfk.flac"
ENTRY = "/usr/share/applications/voxline.desktop"
SPEECH, TALK = "/opt/speech.flac", "a talk – first part.flac"
ANA = Person("ana", 2001, "/home/Ana María Ünïcode")
BO = Person("bo", 2002, "/home/bo")
_PAINTED = "painted.jsonl"
_HEARS = {"listening", "speech", "no sound"}  # stages in which sound comes in
_SAID_AGAIN_S = 300.0  # where a busy computer's sound server has lost some of it
_SAYINGS = 5
_SETTINGS = 'source = "microphone"\nmodel = "base"\nkeep_days = 77\n'


class Captions:
    """The app as one user has it: what it has painted, what it has saved."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        config = desk.home / ".config" / "Voxline" / "settings.toml"
        desk.run("mkdir", "-p", str(Path(desk.person.home) / ".config" / "Voxline"))
        config.write_text(_SETTINGS, "ascii")
        os.chown(config, desk.person.number, desk.person.number)
        self.settings = config

    def start(self) -> None:
        """By its desktop entry; returns when it listens."""
        before = self._count("status")
        log = f"{self.desk.person.home}/{_PAINTED}"
        self.desk.launch("gio", "launch", ENTRY, VOXLINE_PAINTED_LOG=log)
        wait_for(
            lambda: _HEARS & set(self._stages()[before:]),
            lambda: f"it does not listen; its states were {self._stages()[before:]}",
            self.processes,
        )

    def hear(self) -> None:
        """Speech into the microphone; returns when its words have been painted. As one does with
        people, it is said again where it was not understood."""
        before = self._count("painted")

        def understood() -> bool:
            return "country" in self._words(before)

        for _ in range(_SAYINGS):
            self.desk.say(SPEECH)
            if came_true(understood, self.processes, _SAID_AGAIN_S):
                return
            say(f"said again: it has heard “{self._words(before)}”")
        raise LifeError(f"heard: “{self._words(before)}”; running: {self.processes()}")

    @property
    def app(self) -> int:
        """The process. Raises LifeError if it has gone."""
        found = [pid for pid, line in self.processes().items() if "--worker" not in line]
        if not found:
            raise LifeError("the app has gone")
        return min(found)

    @property
    def workers(self) -> set[int]:
        return {pid for pid, line in self.processes().items() if "--worker" in line}

    def programs(self) -> set[str]:
        """The files that the workers run."""
        found = set()
        for worker in self.workers:
            with suppress(OSError):  # it has just ended
                found.add(str((Path("/proc") / str(worker) / "exe").readlink()))
        return found

    def saved(self) -> list[Path]:
        """Subtitles in the user's folder, the oldest first."""
        folder = self.desk.home / "Documents" / "Voxline"
        return sorted(folder.glob("*.srt"), key=lambda path: path.stat().st_mtime)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send the app a signal; returns when nothing of it is left."""
        os.kill(self.app, number)
        wait_for(lambda: not self.processes(), lambda: f"left: {self.processes()}")

    def processes(self) -> dict[int, str]:
        """All that is the app's, with its command line."""
        return self.desk.processes("voxline")

    def _log(self) -> list[dict[str, object]]:
        path = self.desk.home / _PAINTED
        text = path.read_text("utf-8") if path.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def _count(self, kind: str) -> int:
        return sum(1 for entry in self._log() if entry["type"] == kind)

    def _stages(self) -> list[str]:
        return [str(entry["stage"]) for entry in self._log() if entry["type"] == "status"]

    def _words(self, start: int) -> str:
        painted = [entry for entry in self._log() if entry["type"] == "painted"]
        return "".join(str(entry["text"]) for entry in painted[start:])


def main(arguments: list[str]) -> int:
    """Live it; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(description="The Debian package's life in an empty Debian.")
    parser.add_argument("older", type=Path)
    parser.add_argument("newer", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the root where it is")
    parser.add_argument(empty_debian.MARK, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    tools = empty_debian.TOOLS.items()
    if missing := sorted({package for tool, package in tools if shutil.which(tool) is None}):
        say(f"not looked at. On Debian: apt install {' '.join(missing)}")
        return 1
    empty_debian.alone(arguments)
    place = Path(tempfile.mkdtemp(prefix="voxline-life-"))
    try:
        with ExitStack() as ends:
            live(Computer(place, options.base), options.older, options.newer, ends)
    except (LifeError, subprocess.SubprocessError, OSError, ValueError) as problem:
        say(f"the package's life: {problem}")
        return 1
    finally:
        if not options.keep:
            take_away(place)
    return 0


def take_away(place: Path) -> None:
    """Unmount what is mounted there, deepest first, and delete the rest."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    for mount in reversed([each for each in mounts if each.startswith(str(place))]):
        subprocess.run(["umount", "--lazy", mount], stderr=subprocess.DEVNULL)
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    if any(each.startswith(str(place)) for each in mounts):
        say(f"{place} is still in use: it stays")
        return
    shutil.rmtree(place)


def live(computer: Computer, older: Path, newer: Path, ends: ExitStack) -> None:
    """From the first installation to the last trace. Raises LifeError."""
    install(computer, older, newer)
    computer.cut_off()
    computer.read_only(True)
    ana, bo = (Desk(computer, who, f":{who.number - 1900}") for who in (ANA, BO))
    for desk in (ana, bo):
        ends.callback(desk.close)
    captions = Captions(ana)
    use(captions, bo)
    upgrade(captions, computer, newer)
    begin_anew(captions, computer)
    keys_and_server(captions)
    remove(captions, computer, newer)


def install(computer: Computer, older: Path, newer: Path) -> None:
    """Into the empty system: what it lacks comes with it. Then users and their desktop."""
    for package in (older, newer):
        shutil.copy(package, computer.inside("/opt"))
    shutil.copy(SAMPLE, computer.inside(SPEECH))
    computer.apt("update")
    told = computer.apt("install", f"/opt/{older.name}")
    count = re.search(r"(\d+) newly installed", told)
    say(f"installed with apt: {count[1] if count else '?'} packages, itself among them")
    computer.run(["voxline", "--version"])
    missing = [line for line in libraries(computer) if "not found" in line]
    if missing:
        raise LifeError(f"libraries are missing: {missing[:5]}")
    say("every library of it finds those that it needs")
    computer.apt("install", *empty_debian.BENCH)
    for person in (ANA, BO):
        computer.add(person)


def libraries(computer: Computer) -> list[str]:
    """What the system's loader says of every library in the package that must load."""
    may_fail = " ".join(f"! -name '{name}'" for name in needs.OPTIONAL)
    script = (
        "export LD_LIBRARY_PATH=/usr/lib/voxline/_internal; "  # as the app's loader does
        f"find /usr/lib/voxline -name '*.so*' -type f {may_fail} | xargs ldd 2>/dev/null"
    )
    told = computer.run(["sh", "-c", f"{script} || true"])
    return told.splitlines()


def use(captions: Captions, bo: Desk) -> None:
    """Two users of one computer: one captions, the other transcribes a file."""
    captions.start()
    talk = f"{BO.home}/{TALK}"
    bo.run("cp", SPEECH, talk)
    beside = bo.start("voxline", "transcribe", talk)
    captions.hear()
    say("started by its desktop entry, it captions the virtual microphone")
    beside.communicate(timeout=HANGS_S)
    text = (bo.home / TALK).with_suffix(".srt").read_text("utf-8")
    if beside.returncode != 0 or "country" not in text:
        raise LifeError(f"voxline transcribe of another user: {beside.returncode}, {text}")
    say("voxline transcribe, another user's, at the same time")
    captions.desk.run(*action(captions.desk, "new-session"))
    unsaved = "a new session has not saved the one before"
    wait_for(captions.saved, unsaved, captions.processes)
    if "country" not in captions.saved()[0].read_text("utf-8"):
        raise LifeError(f"{captions.saved()[0].name} is not what was said")
    captions.desk.run(*action(captions.desk, "show-captions"))
    say("the desktop entry's actions: a new session, and the one before is saved as subtitles")


def action(desk: Desk, name: str) -> list[str]:
    """What the desktop starts for an action of the entry."""
    entry = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    entry.read(desk.computer.inside(ENTRY), "utf-8")
    if (section := f"Desktop Action {name}") not in entry:
        raise LifeError(f"the desktop entry has no action {name}")
    return entry[section]["Exec"].split()


def upgrade(captions: Captions, computer: Computer, newer: Path) -> None:
    """While it captions: it goes on, loads what it had not loaded, and gets a new worker."""
    captions.hear()
    app, older = captions.app, computer.run(["voxline", "--version"])
    computer.read_only(False)
    computer.apt("install", f"/opt/{newer.name}")
    computer.read_only(True)
    if (told := computer.run(["voxline", "--version"])) == older:
        raise LifeError(f"it is still {told}")
    say(f"upgraded while it captions: from {older} to {told}")
    captions.hear()
    if captions.app != app:
        raise LifeError("the app that ran has gone")
    say("… and it goes on")
    _open_with(captions)
    for worker in (before := captions.workers):
        with suppress(ProcessLookupError):  # one that had nothing to do any more
            os.kill(worker, signal.SIGKILL)
    wait_for(lambda: captions.workers - before, "no new worker comes", captions.processes)
    captions.hear()
    programs = captions.programs()
    if not programs or any("deleted" in program for program in programs):
        raise LifeError(f"the new worker is the older version's: {programs}")
    say("… a killed worker comes back as the newer version's, and captions go on")


def _open_with(captions: Captions) -> None:
    talk = f"{ANA.home}/{TALK}"
    captions.desk.run("cp", SPEECH, talk)
    captions.desk.launch("gio", "launch", ENTRY, talk)
    result = (captions.desk.home / TALK).with_suffix(".srt")
    wait_for(result.exists, "“Open with Voxline” has written nothing", captions.processes)
    say("… “Open with Voxline”: subtitles beside the file, by the app that was upgraded")


def begin_anew(captions: Captions, computer: Computer) -> None:
    """The older app is cut off; the newer version finds all that it has left."""
    before = len(captions.saved())
    captions.end(signal.SIGKILL)
    captions.start()
    lost = "the older version's journal is not recovered"
    wait_for(lambda: len(captions.saved()) > before, lost, captions.processes)
    captions.hear()
    if "keep_days = 77" not in captions.settings.read_text("utf-8"):
        raise LifeError("the settings of the older version are gone")
    captions.end()
    wait_for(lambda: len(captions.saved()) > before + 1, "its last session was not saved")
    listed = json.loads(captions.desk.run("voxline", "sessions", "list", "--json"))
    found = json.loads(captions.desk.run("voxline", "sessions", "search", "country", "--json"))
    if not len(listed) == len(found) == 4:  # the file that was opened is among them
        raise LifeError(f"the library has {len(listed)} sessions, {len(found)} with the words")
    say("the newer version reads settings, library and the journal of the app that was killed")


def keys_and_server(captions: Captions) -> None:
    """A key in a keyring that is there, and the engine for another program."""
    desk, server = captions.desk, "wss://captions.example.org"
    unlock = ("--unlock", "--components=secrets", "--daemonize")
    desk.launch("gnome-keyring-daemon", *unlock, typed="x")
    told = desk.run("voxline", "key", "set", server, typed="a-key-of-nobody\n")
    if "in the system’s keyring" not in told:
        raise LifeError(f"a keyring runs, and: {told}")
    desk.run("voxline", "key", "delete", server)
    say("a key goes into the desktop's keyring, and out of it")
    serving = desk.start("voxline", "serve", "--json", "--port", "0")
    assert serving.stdout is not None
    if not (line := serving.stdout.readline()):
        raise LifeError(f"voxline serve ended with {serving.wait(HANGS_S)}")
    served = json.loads(line)
    transcribe = ("voxline", "transcribe", SPEECH, "--output", "-")
    remote = ("--engine", "remote", "--dialect", "openai", "--url", served["url"], "--agree")
    told = desk.run(*transcribe, *remote, VOXLINE_REMOTE_KEY=served["key"])
    serving.terminate()
    serving.communicate()
    if "country" not in told:
        raise LifeError(f"voxline serve heard: {told}")
    say("voxline serve captions for another program")


def remove(captions: Captions, computer: Computer, newer: Path) -> None:
    """Nothing is left but what is the users' own."""
    computer.read_only(False)
    told = computer.apt("purge", "voxline")
    if "What each user has stays" not in told:
        raise LifeError("it is not said what stays")
    before = computer.files()
    if left := sorted(path for path in before if "voxline" in path.lower() and "/opt/" not in path):
        raise LifeError(f"it has left {left}")
    computer.apt("install", f"/opt/{newer.name}")
    computer.run(["voxline", "doctor"])
    computer.apt("purge", "voxline")
    if computer.files() != before:
        raise LifeError(f"it has left {sorted(computer.files() ^ before)}")
    if len(captions.saved()) < 3 or not captions.settings.exists():
        raise LifeError("the user's own files have gone with it")
    say("removed: no file is left but the users' own")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
