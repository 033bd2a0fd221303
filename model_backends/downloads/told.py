"""What the user is told when a download does not go on: the one table of it.

    DownloadError(UserError)      message, hint; `code` for tests and windows
      …Again                      worth trying again by itself, after `wait_s` if that is known

Knows HTTP's errors, and nothing of files or retries.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2

from model_backends.base import Sentence, UserError
from model_backends.downloads.units import size

GOES_ON = Sentence("Try again: it goes on where it stopped.")
_CHECK_NET = Sentence("Check the Internet connection, then try again: it goes on where it stopped.")
_LATER = Sentence("Try again later: it goes on where it stopped.")
_ELSEWHERE = Sentence(
    "Let Voxline write there, or start it with VOXLINE_MODELS set to a folder that you may write "
    "to."
)
_AGAIN_STATUS = (408, 425, 429, 500, 502, 503, 504)


class DownloadError(UserError):
    """A download does not go on. `code` says which of the table's rows this is."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class AgainError(DownloadError):
    """Worth another try. `wait_s`: how long the other side asked to be left alone, if it did."""

    def __init__(
        self, code: str, message: str, hint: str = "", wait_s: float | None = None
    ) -> None:
        super().__init__(code, message, hint)
        self.wait_s = wait_s


# --- what HTTP says ----------------------------------------------------------------------------


def of_status(response: httpx2.Response, page: str) -> DownloadError:
    """For an answer that is no file. `page`: the model's own, where terms are accepted."""
    status, host = response.status_code, response.url.host
    if status in _AGAIN_STATUS:
        return _later(status, host, wait_of(response))
    if status == 401:
        return _sign_in(host)
    if status == 403:
        return DownloadError(
            "forbidden",
            Sentence("{host} does not let you download this.", host=host),
            Sentence(
                "If the model’s terms must be accepted first, that is done at {page}; then start "
                "Voxline with HF_TOKEN set to your access token.",
                page=page,
            ),
        )
    if status in (404, 410):
        return DownloadError(
            "gone",
            Sentence("{host} does not have this file any more.", host=host),
            Sentence("A newer version of Voxline may know where it is now."),
        )
    if status == 407:
        return _proxy_refuses("407")
    return DownloadError(
        "refused",
        Sentence("{host} refuses the download ({status}).", host=host, status=status),
        _LATER,
    )


def of_transport(error: httpx2.HTTPError, host: str) -> DownloadError:
    """For an answer that did not come, or not to its end."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return DownloadError(
                "not-safe",
                Sentence(
                    "The connection to {host} is not safe ({why}).",
                    host=host,
                    why=getattr(cause, "verify_message", "") or cause.reason or "TLS",
                ),
                Sentence(
                    "Something may stand between: a proxy, a virus scanner, a network that wants a "
                    "sign-in. SSL_CERT_FILE names a certificate that is to be trusted."
                ),
            )
    if isinstance(error, httpx2.ProxyError):
        return _proxy_refuses(str(error)[:80])
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
        return _unreachable(host, causes)
    if isinstance(error, httpx2.TimeoutException):
        return AgainError(
            "stalled", Sentence("The download stands still: {host} sends nothing.", host=host),
            _CHECK_NET,
        )  # fmt: skip
    if isinstance(error, httpx2.TooManyRedirects):
        return DownloadError(
            "refused", Sentence("{host} leads round in a circle.", host=host), _LATER
        )
    if isinstance(error, (httpx2.NetworkError, httpx2.RemoteProtocolError)):
        return AgainError(
            "broken-off",
            Sentence("The connection to {host} breaks off again and again.", host=host),
            _CHECK_NET,
        )
    return DownloadError(
        "refused",
        Sentence("The download failed ({kind}).", kind=type(error).__name__),
        _LATER,
    )


def wait_of(response: httpx2.Response) -> float | None:
    """Seconds until the other side wants to be asked again (Retry-After); None if it does not say.

    RFC 9110, 10.2.3: seconds, or a date.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _sign_in(host: str) -> DownloadError:
    if os.environ.get("HF_TOKEN"):
        return DownloadError(
            "sign-in",
            Sentence("{host} does not accept the access token in HF_TOKEN.", host=host),
            Sentence("Make another one there, or start Voxline without HF_TOKEN."),
        )
    return DownloadError(
        "sign-in",
        Sentence("{host} wants to know who downloads this.", host=host),
        Sentence("Sign in there, make an access token, and start Voxline with HF_TOKEN set to it."),
    )


def odd_answer(host: str) -> AgainError:
    return AgainError(
        "odd-answer", Sentence("{host} answers what it was not asked.", host=host), _LATER
    )


def _later(status: int, host: str, wait_s: float | None) -> AgainError:
    if status == 429:
        when: str = _LATER
        if wait_s is not None and wait_s > 90:
            minutes = math.ceil(wait_s / 60)
            when = Sentence(
                "Try again in {minutes} minutes: it goes on where it stopped.", minutes=minutes
            )
        message = Sentence("{host} asks for patience: too many downloads at once.", host=host)
        return AgainError("busy", message, when, wait_s)
    return AgainError(
        "hub-fault",
        Sentence("{host} has a fault of its own ({status}).", host=host, status=status),
        _LATER,
        wait_s,
    )


def _proxy_refuses(why: str) -> DownloadError:
    return DownloadError(
        "proxy",
        Sentence("The proxy {proxy} does not let the download through ({why}).",
                 proxy=proxy_name(), why=why),
        Sentence("HTTPS_PROXY names the proxy, with user:password@ before it if it asks for them."),
    )  # fmt: skip


def no_address(endpoint: str) -> DownloadError:
    return DownloadError(
        "no-address",
        Sentence("{endpoint} is no address of a model hub.", endpoint=endpoint),
        Sentence("HF_ENDPOINT names it: https://… Without it, the usual hub is asked."),
    )


def no_such_proxy() -> DownloadError:
    return DownloadError(
        "proxy",
        Sentence("The proxy {proxy} is of a kind that Voxline cannot use.", proxy=proxy_name()),
        Sentence("HTTPS_PROXY names the proxy: http://host:port. SOCKS is not supported."),
    )


def no_certificates(error: OSError) -> DownloadError:
    return DownloadError(
        "not-safe",
        Sentence("The trusted certificates cannot be read ({why}).", why=error.strerror or "TLS"),
        Sentence("SSL_CERT_FILE and SSL_CERT_DIR, where they are set, name them; check them."),
    )


def _unreachable(host: str, causes: list[BaseException]) -> DownloadError:
    if proxy_name():
        return AgainError(
            "proxy-unreachable",
            Sentence("The proxy {proxy} cannot be reached.", proxy=proxy_name()),
            Sentence("HTTPS_PROXY, or the system’s settings, name the proxy; check it there."),
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return AgainError(
            "no-such-host", Sentence("{host} cannot be found.", host=host), _CHECK_NET
        )
    return AgainError("unreachable", Sentence("{host} cannot be reached.", host=host), _CHECK_NET)


def proxy_name() -> str:
    """host:port of the proxy for downloads, without a password; "" if there is none."""
    proxies = urllib.request.getproxies()
    named = proxies.get("https") or proxies.get("http") or proxies.get("all") or ""
    return named.rpartition("@")[2].rpartition("/")[2] if named.count("/") < 3 else named


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


# --- what came ---------------------------------------------------------------------------------


def another_file(file: str) -> DownloadError:
    """The hub's own hash or size is not the catalogue's: seen before anything is fetched."""
    return DownloadError(
        "another-file",
        Sentence("The hub has another {file} than the one that Voxline knows.", file=file),
        Sentence("It was not downloaded. A newer version of Voxline may know it."),
    )


def wrong_bytes(file: str) -> DownloadError:
    return DownloadError(
        "wrong-bytes",
        Sentence("What came is not the published {file}. It was deleted.", file=file),
        Sentence(
            "Try again. If it happens again, something changes what is sent: a mirror, a proxy."
        ),
    )


def sign_in_page(host: str) -> DownloadError:
    return DownloadError(
        "sign-in-page",
        Sentence("A web page came in place of the file, from {host}.", host=host),
        Sentence("The network may want a sign-in: open a browser, sign in, then try again."),
    )


# --- this computer -----------------------------------------------------------------------------


def no_space(
    needed: int, free: int, folder: Path, variable: str = "VOXLINE_MODELS"
) -> DownloadError:
    """Sizes in bytes. `variable` of the environment names the folder."""
    return DownloadError(
        "no-space",
        Sentence("Needs {needed} of space, {free} free.", needed=size(needed), free=size(free)),
        Sentence(
            "Free some space in {folder}. To use another disk, start Voxline with {variable} set "
            "to a folder there.",
            folder=folder,
            variable=variable,
        ),
    )


def of_disk(error: OSError, folder: Path, elsewhere: Sentence = _ELSEWHERE) -> DownloadError:
    """A file could not be read or written. `elsewhere`: how another folder is chosen."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            "no-space",
            Sentence("The disk is full: {folder}", folder=folder),
            Sentence("Free some space, then try again: it goes on where it stopped."),
        )
    why = error.strerror or (os.strerror(error.errno) if error.errno else type(error).__name__)
    return DownloadError(
        "not-writable",
        Sentence("{folder} cannot be written ({why}).", folder=folder, why=why),
        elsewhere,
    )


def under_way(title: str) -> DownloadError:
    return DownloadError(
        "under-way",
        Sentence("{title} is being downloaded already, by another Voxline.", title=title),
        Sentence("Wait for that one, or end it."),
    )
