"""Getting a model: room on the disk first, each file to its end, each one's sha256 counted, and
only then does it stand where models are looked for.

What has come lies in the models folder, under `.downloads`, until all of it is there: an end at
any moment leaves nothing that looks like a model, and nothing that must come twice. One at a time
for each model, whoever asks. Nothing here runs unless the user has asked for it.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import filelock
import httpx2

from app import paths
from app.models import places, receipts
from app.models.catalogue import File, Model
from app.models.places import Place
from app.models.receipts import Receipt
from model_backends.base import Sentence, UserError
from model_backends.downloads import fetch, told
from model_backends.downloads.fetch import Fetch, Stop, StoppedError, Waiting, Wanted
from model_backends.embedded import store

__all__ = ["Done", "Progress", "Stop", "StoppedError", "download", "expected", "verify"]

log = logging.getLogger(__name__)

MARGIN = 200_000_000  # bytes that are left free on the disk
_SPEED_S = 20.0  # how long back the speed is looked at
_TELL_S = 0.1  # between two reports


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is. Bytes of the whole model."""

    done: int
    total: int
    doing: str = "downloading"  # "checking": reading what is here; "waiting": for another try
    left_s: float | None = None  # at the speed of the last seconds, if there is one yet
    why: str = ""  # while waiting: because of what

    @property
    def fraction(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """A model is here. `from_hub`: files whose sha256 the catalogue does not know, and which were
    held against what the hub says of them."""

    place: Place
    from_hub: tuple[str, ...] = ()


Tell = Callable[[Progress], None]


def download(model: Model, models_dir: Path, tell: Tell, stop: Stop) -> Done:
    """Get a model, or what is missing of it. Calls `tell` from this thread, some times a second.

    Raises DownloadError (of `told`) saying what went wrong and what to do, and StoppedError; what
    has come stays for the next time.
    """
    folder = places.download_folder(model, models_dir)
    try:
        paths.make_private(folder)
        with filelock.FileLock(f"{folder}.lock", timeout=0):
            return _Download(model, models_dir, tell, stop).run()
    except filelock.Timeout as error:
        raise told.under_way(model.title) from error
    except receipts.StoppedError as error:
        raise StoppedError from error
    except OSError as error:
        raise told.of_disk(error, models_dir) from error


def verify(
    model: Model, models_dir: Path, progress: Callable[[int], bool] = lambda count: True
) -> list[Sentence]:
    """Hash a model that is here and note the outcome: a sentence for each file that is wrong.

    Raises receipts.StoppedError if `progress` (bytes read) says so, UserError where it is not here
    or nobody knows what its files should be.
    """
    if model.is_embedded:
        return [
            Sentence("{problem}", problem=text) for text in store.verify(model.name, models_dir)
        ]
    place = places.find(model, models_dir)
    if place is None:
        raise UserError(
            Sentence("{title} is not on this computer.", title=model.title),
            Sentence("It can be downloaded."),
        )
    known = expected(model, receipts.read(place.folder, models_dir))
    if any(not known.get(file.name) for file in model.files):
        raise UserError(
            Sentence("Nobody here knows what the files of {title} should be.", title=model.title),
            Sentence("A download asks the hub, and writes it down."),
        )
    found = receipts.problems(model, place.folder, known, progress)
    if found:
        receipts.forget(place.folder, models_dir)
    else:
        _note(place.folder, models_dir, Receipt(model.name, model.revision, known))
    return found


def expected(model: Model, receipt: Receipt | None) -> dict[str, str]:
    """sha256 by file: the catalogue's, and what was written down when the hub was asked."""
    noted: Mapping[str, str] = receipt.sha256 if receipt else {}
    return {file.name: file.sha256 or noted.get(file.name, "") for file in model.files}


def _note(folder: Path, models_dir: Path, receipt: Receipt) -> None:
    try:
        receipts.write(folder, models_dir, receipt)
    except OSError:
        log.warning("a receipt could not be written", exc_info=True)


class _Download:
    """One run of it, under its lock."""

    def __init__(self, model: Model, models_dir: Path, tell: Tell, stop: Stop) -> None:
        self._model, self._models_dir = model, models_dir
        self._tell, self._stop = tell, stop
        self._into = places.download_folder(model, models_dir)
        self._target = models_dir / model.folder
        self._revision_note = self._into / "revision"
        self._before = 0  # bytes of the files that are finished
        self._speed = Speed()
        self._told_at = -1.0
        self._total = model.bytes

    def run(self) -> Done:
        self._take_what_is_there()
        self._check_room()
        sums: dict[str, str] = {}
        with fetch.open_client() as client:
            for file in self._model.files:
                sums[file.name] = self._get(client, file)
                self._before += (self._into / file.name).stat().st_size
                self._total = max(self._total, self._before)
        return self._put_in_place(sums)

    def _take_what_is_there(self) -> None:
        """Files in the model's own place that are right need not come again."""
        for file in self._model.files:
            kept, fresh = self._target / file.name, self._into / file.name
            if not file.sha256 or not kept.is_file() or fresh.exists():
                continue
            if receipts.sha256_of(kept, self._checking) == file.sha256:
                fresh.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(kept, fresh)

    def _check_room(self) -> None:
        here = places.unfinished(self._model, self._models_dir)
        needed = max(self._model.bytes - here, 0)
        free = shutil.disk_usage(self._models_dir).free
        if needed and needed + MARGIN > free:
            raise told.no_space(needed + MARGIN, free, self._models_dir)

    def _get(self, client: httpx2.Client, file: File) -> str:
        """The file's sha256, once it is here."""
        target = self._into / file.name
        if file.sha256 and target.is_file():
            if receipts.sha256_of(target, self._checking) == file.sha256:
                return file.sha256
            target.unlink()
        url = fetch.url_of(self._model.repository, self._revision(), file.name)
        page = f"{fetch.endpoint()}/{self._model.repository}"
        wanted = Wanted(file.name, file.bytes, file.sha256)
        one = Fetch(client, url, page, wanted, target, self._stop)
        came = one.run(self._came, self._waits)
        if came.commit and not self._model.revision:
            self._revision_note.write_text(came.commit, "ascii", errors="replace")
        return came.sha256

    def _revision(self) -> str:
        """Where the catalogue names none: the first file's, so that all are of one."""
        if self._model.revision or not self._revision_note.is_file():
            return self._model.revision
        noted = self._revision_note.read_text("ascii", errors="replace").strip()
        return noted if noted.isalnum() else ""

    def _put_in_place(self, sums: dict[str, str]) -> Done:
        revision = self._revision()
        self._target.mkdir(parents=True, exist_ok=True)
        for file in self._model.files:
            place = self._target / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self._into / file.name, place)  # the model's place may lie on another disk
        for left in self._into.parent.glob(f"{self._model.folder}@*"):  # of other revisions, too
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
        _note(self._target, self._models_dir, Receipt(self._model.name, revision, sums))
        from_hub = tuple(file.name for file in self._model.files if not file.sha256)
        log.info("%s is here, revision %s, %s", self._model.name, revision, sums)
        return Done(Place(self._target, "ours", checked=True), from_hub)

    # --- telling -----------------------------------------------------------------------------

    def _came(self, count: int) -> None:
        done = self._before + count
        self._speed.add(done, time.monotonic())
        self._say(Progress(done, self._total, "downloading", self._speed.left_s(self._total)))

    def _checking(self, count: int) -> bool:
        self._say(Progress(self._before + count, self._total, "checking"))
        return not self._stop.asked

    def _waits(self, waiting: Waiting) -> None:
        self._told_at = -1.0
        done = places.unfinished(self._model, self._models_dir)
        self._say(
            Progress(done, self._total, "waiting", left_s=waiting.seconds, why=waiting.why.message)
        )

    def _say(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_S or progress.done >= progress.total:
            self._told_at = now
            self._tell(progress)


class Speed:
    """Bytes a second, of the last seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def add(self, done: int, now_s: float) -> None:
        if self._points and now_s - self._points[-1][0] < 0.25:
            return
        self._points.append((now_s, done))
        while now_s - self._points[0][0] > _SPEED_S:
            self._points.popleft()

    def left_s(self, total: int) -> float | None:
        """Until all is here; None while that cannot be told."""
        if len(self._points) < 5:
            return None
        (first_s, first), (last_s, last) = self._points[0], self._points[-1]
        if last <= first:
            return None
        return (total - last) * (last_s - first_s) / (last - first)
