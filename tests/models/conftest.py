"""The stand-in hub, and a model that it has."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.models.catalogue import File, Model, Needs
from model_backends.downloads import fetch
from tests.support.hub import Hub, running

REPOSITORY = "mistralai/Tiny-2602"
LARGE = random.Random(7).randbytes(300_000)
CONTENT = {"params.json": b'{"dim": 8}', "a folder/merges (1).txt": b"e t\n", "weights.bin": LARGE}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


MODEL = Model(
    name="tiny",
    title="Tiny",
    words="Small.",
    languages=("en",),
    language_count=1,
    engines=("voxtral-torch",),
    licence="MIT",
    licence_file="licences/MIT-OpenAI.txt",
    author="Nobody",
    repository=REPOSITORY,
    revision="1" * 40,
    folder="Tiny-2602",
    needs=Needs(gpu_gb=5.1),
    files=tuple(File(name, len(held), sha256(held)) for name, held in CONTENT.items()),
)
UNKNOWN = replace(MODEL, revision="", files=tuple(File(name, 0, "") for name in CONTENT))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub that downloads go to in this test, and no patience with it."""
    for name in (*PROXIES, "HF_TOKEN", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(fetch, "WAITS_S", (0.0,) * 3)
    with running() as made:
        for name, held in CONTENT.items():
            made.add(REPOSITORY, name, held)
        monkeypatch.setenv("HF_ENDPOINT", made.url + "/")
        yield made
