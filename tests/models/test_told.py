"""The table of what the user is told when a download does not go on, from the hub's answers."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import httpx2
import pytest

from app.models import places
from app.models.download import Stop, download
from model_backends.downloads import fetch, told
from model_backends.downloads.told import DownloadError
from tests.models.conftest import CONTENT, MODEL
from tests.support.hub import Fault, Hub, Proxy, running

GOES_ON = "goes on where it stopped"
# what goes wrong each time: where, how, the code, and words of the sentence and of its hint
TABLE: dict[str, tuple[str, Fault, str, str, str]] = {
    "401": ("hub", Fault(status=401), "sign-in", "wants to know who", "HF_TOKEN"),
    "403": ("hub", Fault(status=403), "forbidden", "does not let you", "/mistralai/Tiny-2602"),
    "403 of the signed link": ("cdn", Fault(status=403), "forbidden", "does not let", "terms"),
    "404": ("hub", Fault(status=404), "gone", "does not have this file any more", "newer version"),
    "404 of the bytes": ("cdn", Fault(status=404), "gone", "any more", "newer version"),
    "416": ("cdn", Fault(status=416), "odd-answer", "what it was not asked", GOES_ON),
    "429": ("hub", Fault(status=429), "busy", "asks for patience", GOES_ON),
    "429, for long": (
        "hub", Fault(status=429, headers={"Retry-After": "1800"}), "busy", "patience", "30 minutes",
    ),
    "500": ("hub", Fault(status=500), "hub-fault", "a fault of its own (500)", GOES_ON),
    "502": ("cdn", Fault(status=502), "hub-fault", "a fault of its own (502)", GOES_ON),
    "503": ("cdn", Fault(status=503), "hub-fault", "a fault of its own (503)", GOES_ON),
    "504": ("hub", Fault(status=504), "hub-fault", "a fault of its own (504)", GOES_ON),
    "418": ("hub", Fault(status=418), "refused", "refuses the download (418)", GOES_ON),
    "drops": ("cdn", Fault(cut_after=0), "broken-off", "breaks off again and again", GOES_ON),
    "stalls": ("cdn", Fault(stall_after=0), "stalled", "stands still", GOES_ON),
    "wrong bytes": ("cdn", Fault(flip=True), "wrong-bytes", "It was deleted", "Try again"),
    "another sha256": (
        "hub", Fault(hash="0" * 64), "another-file", "another weights.bin", "not downloaded",
    ),
    "another size": ("hub", Fault(size=5), "another-file", "another weights.bin", "newer version"),
    "a sign-in page": (
        "hub", Fault(status=200, headers={"Content-Type": "text/html"}, body=b"<form>"),
        "sign-in-page", "A web page came", "open a browser",
    ),
    "round in a circle": (
        "hub", Fault(status=302, headers={"Location": "/a/b/resolve/c/d"}),
        "refused", "round in a circle", GOES_ON,
    ),
}  # fmt: skip


def failure(models_dir: Path) -> DownloadError:
    with pytest.raises(DownloadError) as error:
        download(MODEL, models_dir, lambda progress: None, Stop())
    return error.value


@pytest.mark.parametrize("case", TABLE)
def test_what_is_told(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    where, fault, code, words, hint = TABLE[case]
    if case == "stalls":  # elsewhere a slow computer is given its time
        monkeypatch.setattr(fetch, "_TIMEOUT", httpx2.Timeout(15.0, read=0.5))
    hub.always[where] = fault
    error = failure(tmp_path)
    assert (error.code, error.message.endswith(".")) == (code, True)
    assert words in error.message
    assert hint in error.hint
    assert hub.address(where).removeprefix("http://").partition(":")[0] in error.message or (
        code in ("another-file", "wrong-bytes")
    )
    assert places.find(MODEL, tmp_path) is None, "nothing looks like a model"
    hub.always.clear()
    hub.closing.set()  # whoever stalls goes on
    monkeypatch.setattr(fetch, "_TIMEOUT", httpx2.Timeout(15.0))
    done = download(MODEL, tmp_path, lambda progress: None, Stop())
    assert (done.place.folder / "weights.bin").read_bytes() == CONTENT["weights.bin"]


def test_nothing_is_fetched_of_a_file_that_is_not_the_known_one(hub: Hub, tmp_path: Path) -> None:
    hub.next("hub", Fault(), Fault(), Fault(hash="0" * 64))
    assert failure(tmp_path).code == "another-file"
    assert not (places.download_folder(MODEL, tmp_path) / "weights.bin.partial").exists()


def test_a_token_that_is_not_taken(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.always["hub"] = Fault(status=401)
    error = failure(tmp_path)
    assert "the access token in HF_TOKEN" in error.message
    assert "hf_secret" not in error.message + error.hint


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize(
    ("endpoint", "code", "words"),
    [
        ("http://127.0.0.1:{port}", "unreachable", "127.0.0.1 cannot be reached."),
        ("http://hub.invalid", "no-such-host", "hub.invalid cannot be found."),
        ("gopher://hub.invalid", "no-address", "gopher://hub.invalid is no address"),
        ("http://127.0.0.1:x", "no-address", "http://127.0.0.1:x is no address"),
    ],
)
def test_no_hub(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, code: str, words: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint.format(port=free_port()))
    error = failure(tmp_path)
    assert (error.code, words in error.message) == (code, True)


@pytest.mark.parametrize(
    ("proxy", "code", "words"),
    [
        ("http://127.0.0.1:{port}", "proxy-unreachable", "The proxy 127.0.0.1:{port} cannot be"),
        ("socks5://127.0.0.1:{port}", "proxy", "of a kind that Voxline cannot use"),
        ("socks9://127.0.0.1:{port}", "proxy", "of a kind that Voxline cannot use"),
    ],
)
def test_no_proxy(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, code: str, words: str
) -> None:
    port = free_port()
    monkeypatch.setenv("HTTP_PROXY", proxy.format(port=port))
    error = failure(tmp_path)
    assert (error.code, words.format(port=port) in error.message) == (code, True)


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate that this computer's own hub signs for itself."""
    pytest.importorskip("cryptography", reason="makes the certificate (Linux: with keyring)")
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    both.write_bytes(secret + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return both, context


@pytest.fixture
def safe_hub(
    hub: Hub, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    with running(certificate[1]) as made:
        made.files = hub.files
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        yield made


def test_a_certificate_that_nobody_knows_is_not_trusted(safe_hub: Hub, tmp_path: Path) -> None:
    error = failure(tmp_path)
    assert error.code == "not-safe"
    assert "not safe (self" in error.message
    assert not safe_hub.requests


def test_through_a_proxy_that_sees_nothing(
    safe_hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    """CONNECT, as with the real hub, and the company's certificate in SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    proxy = Proxy()
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.place}")
    done = download(MODEL, tmp_path, lambda progress: None, Stop())
    assert (done.place.folder / "weights.bin").read_bytes() == CONTENT["weights.bin"]
    assert {asked.split()[0] for asked in proxy.asked} == {"CONNECT"}
    proxy.password = "bWU6c2VjcmV0"
    error = failure(tmp_path / "another")
    assert (error.code, "407" in error.message) == ("proxy", True)
    proxy.close()


def test_certificates_that_are_not_there_are_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    error = failure(tmp_path)
    assert (error.code, "SSL_CERT_FILE" in error.hint) == ("not-safe", True)


@pytest.mark.parametrize("kind", ["seconds", "date", "nonsense", "none"])
def test_retry_after(kind: str) -> None:
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=600)
    text = {"seconds": "600", "date": format_datetime(then, usegmt=True), "nonsense": "soon"}
    headers = {} if kind == "none" else {"Retry-After": text[kind]}
    wait = told.wait_of(httpx2.Response(429, headers=headers))
    assert (wait is None) == (kind in ("nonsense", "none"))
    assert wait is None or 590 < wait <= 600
