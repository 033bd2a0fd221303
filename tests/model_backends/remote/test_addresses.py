"""Addresses of servers: completed, named, and free of keys."""

from __future__ import annotations

import pytest

from model_backends.base import EngineError
from model_backends.remote import consent
from model_backends.remote.addresses import MISTRAL, OPENAI, VLLM, hosts, read


@pytest.mark.parametrize(
    ("url", "whole", "dialect", "host"),
    [
        ("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/v1/realtime", VLLM, "127.0.0.1:8000"),
        ("wss://captions.example.org/", "wss://captions.example.org/v1/realtime", VLLM,
         "captions.example.org"),
        ("https://captions.example.org/v1", "wss://captions.example.org/v1/realtime", VLLM,
         "captions.example.org"),
        ("https://gate.example.org/voxtral/v1/", "wss://gate.example.org/voxtral/v1/realtime", VLLM,
         "gate.example.org"),
        ("ws://[fe80::1]:8000", "ws://[fe80::1]:8000/v1/realtime", VLLM, "[fe80::1]:8000"),
        ("http://[::1]:9/team/v1/realtime", "ws://[::1]:9/team/v1/realtime", VLLM, "[::1]:9"),
        ("wss://api.openai.com", "wss://api.openai.com/v1/realtime?intent=transcription", OPENAI,
         "api.openai.com"),
        ("ws://localhost:7/v1/realtime?intent=transcription",
         "ws://localhost:7/v1/realtime?intent=transcription", OPENAI, "localhost:7"),
        ("wss://api.mistral.ai", "wss://api.mistral.ai/v1/audio/transcriptions/realtime?model=m",
         MISTRAL, "api.mistral.ai"),
    ],
)  # fmt: skip
def test_an_address_is_completed(url: str, whole: str, dialect: str, host: str) -> None:
    address = read(url, model="m")
    assert (address.url, address.dialect, address.host) == (whole, dialect, host)


def test_a_dialect_that_is_named_counts() -> None:
    assert read("ws://a:1", OPENAI).url == "ws://a:1/v1/realtime?intent=transcription"
    with pytest.raises(EngineError, match="klingon"):
        read("ws://a:1", "klingon")


@pytest.mark.parametrize(
    "url", ["", "captions", "ftp://a", "ws://", "ws://a:99999", "ws://a b", "wss://a:x", "ws://\n"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(EngineError, match="not the address"):
        read(url)


@pytest.mark.parametrize(
    "url", ["wss://user:sk-1@a.org", "wss://sk-1@a.org", "wss://a.org/?api_key=sk-1",
            "wss://a.org/v1/realtime?access_token=sk-1", "http://127.0.0.1:8421/speak#key=sk-1"],
)  # fmt: skip
def test_a_key_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(EngineError, match="holds a key") as refusal:
        read(url)
    assert "sk-1" not in refusal.value.message + refusal.value.hint
    assert "voxline key set" in refusal.value.hint


@pytest.mark.parametrize(
    "url", ["wss://user:sk-1@a.org:99999", "user:sk-1@a.org", "wss://a.org:x/?api_key=sk-1",
            "ftp://a.org/#key=sk-1"],
)  # fmt: skip
def test_what_is_no_address_is_told_without_its_key(url: str) -> None:
    with pytest.raises(EngineError, match=r"a\.org.* is not the address") as refusal:
        read(url)
    assert "sk-1" not in refusal.value.message + refusal.value.hint


def test_who_agreed_to_an_encrypted_server_is_asked_again_about_an_open_one() -> None:
    """Nor is the key for one the key for the other."""
    secret, plain = read("wss://a.org"), read("ws://a.org")
    assert (secret.host, plain.host) == ("a.org", "a.org:80")
    assert read("http://a.org/v1").host == read("ws://a.org:80").host == "a.org:80"
    assert consent.open_ones([plain], [secret.host]) == [plain]


def test_what_lies_beside_the_realtime_endpoint() -> None:
    address = read("wss://a.org:8443/team/v1/realtime")
    assert address.beside("models") == "https://a.org:8443/team/v1/models"
    assert address.beside("/metrics") == "https://a.org:8443/metrics"
    assert read("ws://a.org").beside("models") == "http://a.org/v1/models"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ws://a.org", "Nothing is encrypted"),
        ("wss://a.org", "encrypted"),
        ("ws://localhost:1", "on this computer"),
        ("ws://127.9.9.9:1", "on this computer"),
    ],
)
def test_the_user_is_asked_in_words_that_name_the_server(url: str, says: str) -> None:
    address = read(url)
    sentence = consent.asked(address)
    assert says in sentence
    assert sentence.count(address.host) == 2


def test_each_server_is_asked_about_once() -> None:
    urls = ("ws://a:1", "ws://a:1/v1", "wss://b")
    assert hosts(urls) == ("a:1", "b")
    found = [read(url) for url in urls]
    assert [each.host for each in consent.open_ones(found, ["b"])] == ["a:1"]
