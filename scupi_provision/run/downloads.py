"""Downloads of the controller, for hosts that cannot: kept below the user's cache by their hash."""

from __future__ import annotations

import http.client
import os
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.run.blobs import CHUNK, Amount, Blob, Obtaining, digest_of

_ANSWER_S = 20.0
"""Seconds until a source has to answer, and for which it may then be silent."""
_LEAST = 1024
"""Bytes a second, over `_WINDOW_S`; a slower source is left for the next."""
_WINDOW_S = 30.0
_ABANDONED_S = 600.0
"""Seconds without a change after which a part is taken to belong to no running download."""
_FAILURES = (OSError, http.client.HTTPException, ValueError)
"""What opening and reading a URL may raise (URLError and timeouts are OSErrors; a wrong port is a ValueError)."""


def cache_folder() -> Path:
    """Where downloads are kept: below `XDG_CACHE_HOME`, else `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "scupi-provision" / "downloads"


@dataclass
class DownloadCache:
    """Files by their hash in one folder; what is missing is downloaded. May be used by several threads.

    Attributes:
        folder: Made when the first file comes.
        slow_s: Seconds over which a source's rate is judged.
    """

    folder: Path
    slow_s: float = _WINDOW_S
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _busy: dict[str, threading.Lock] = field(default_factory=dict)

    def obtain(self, urls: Sequence[str], sha256: str | None) -> Obtaining:
        """The file, from the folder or from the first source that has it.

        Raises:
            ProvisionError: No source has it; why is told of each.
        """
        with self._guard:
            busy = self._busy.setdefault(sha256 or secrets.token_hex(8), threading.Lock())
        with busy:  # two hosts may want the same file at the same time
            if sha256 is not None and (kept := self._kept(sha256)):
                return kept
            return (yield from self._download(_reachable(urls), sha256))

    def _kept(self, sha256: str) -> Blob | None:
        path = self.folder / sha256
        if not path.is_file():
            return None
        with path.open("rb") as file:
            whole = digest_of(file) == sha256
        if not whole:
            path.unlink()
            return None
        return Blob(path, sha256, path.stat().st_size)

    def _download(self, urls: Sequence[str], sha256: str | None) -> Obtaining:
        self._make_folder()
        part = self._claim(sha256)
        reasons = []
        for url in urls:
            try:
                yield from _read(url, part, sha256, self.slow_s)
                return self._keep(part, sha256)
            except _FAILURES as error:  # noqa: PERF203 - each source has its own reason
                reasons.append(f"{url}: {_words(error)}")
        if sha256 is not None and part.exists():
            part.replace(self.folder / f"{sha256}.part")
        raise ProvisionError(
            "the file could not be downloaded on this computer either",
            detail="\n".join(reasons) or "it has no address that this computer could ask",
            hint="check the addresses (roles/sources), and whether this computer has internet",
        )

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProvisionError(f"downloads cannot be kept in {self.folder}: {error}") from error

    def _claim(self, sha256: str | None) -> Path:
        """A part of our own, with what an earlier download has left in it: renaming is what only one can do."""
        own = self.folder / f"{sha256 or 'unknown'}.part-{secrets.token_hex(4)}"
        left = [self.folder / f"{sha256}.part", *_abandoned(self.folder, sha256)] if sha256 else []
        for path in left:
            try:
                path.replace(own)
            except OSError:  # there is none, or somebody was quicker
                continue
            break
        return own

    def _keep(self, part: Path, sha256: str | None) -> Blob:
        with part.open("rb") as file:
            found = digest_of(file)
        if sha256 is not None and found != sha256:
            reason = _strange(part) or f"sha256 is {found}, expected {sha256}"
            part.unlink()
            raise ValueError(reason)
        path = self.folder / found
        part.replace(path)
        return Blob(path, found, path.stat().st_size)


def _reachable(urls: Iterable[str]) -> list[str]:
    """Those that name something which this computer can ask: a `file:` URL means the host's own files."""
    return [url for url in urls if not url.startswith("file:")]


def _abandoned(folder: Path, sha256: str) -> list[Path]:
    parts = folder.glob(f"{sha256}.part-*")
    return [path for path in parts if time.time() - path.stat().st_mtime > _ABANDONED_S]


class _OnlySafer(urllib.request.HTTPRedirectHandler):
    """Without a hash nothing may come unprotected that was asked for protected."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """As the base, but never from https to something else."""
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError(f"it leads to an unprotected address, {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read(url: str, part: Path, sha256: str | None, window_s: float) -> Generator[Amount, None, None]:
    """Bring `part` to its end from one source; raises one of `_FAILURES`."""
    begin = part.stat().st_size if part.exists() else 0
    opener = urllib.request.build_opener(*([] if sha256 else [_OnlySafer()]))
    request = urllib.request.Request(url, headers={"User-Agent": "scupi-provision"})  # noqa: S310 - check_url has looked
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    try:
        answer = opener.open(request, timeout=_ANSWER_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if _hashes_to(part, sha256):
            return
        part.unlink()
        yield from _read(url, part, sha256, window_s)
        return
    with answer:
        continues = begin > 0 and getattr(answer, "status", None) == http.HTTPStatus.PARTIAL_CONTENT
        yield from _copy(answer, part, begin if continues else 0, window_s)
    if begin and continues and not _hashes_to(part, sha256):
        part.unlink()  # what was there before was not of this file
        yield from _read(url, part, sha256, window_s)


def _hashes_to(part: Path, sha256: str | None) -> bool:
    with part.open("rb") as file:
        return digest_of(file) == sha256


def _copy(answer: Any, part: Path, begin: int, window_s: float) -> Generator[Amount, None, None]:
    length = answer.headers.get("Content-Length", "")
    whole = begin + int(length) if length.isdecimal() else None
    done = begin
    judged_at, judged = time.monotonic(), begin
    read = getattr(answer, "read1", answer.read)  # what has come, and not a full buffer: a trickle is noticed
    with part.open("ab" if begin else "wb") as file:
        while data := read(CHUNK):
            file.write(data)
            done += len(data)
            yield Amount(done, whole)
            if time.monotonic() - judged_at >= window_s:
                if done - judged < _LEAST * window_s:
                    raise TimeoutError(f"less than {_LEAST} bytes a second")
                judged_at, judged = time.monotonic(), done
    if whole is not None and done < whole:
        raise ConnectionError(f"cut short after {done} of {whole} bytes")


def _strange(part: Path) -> str:
    with part.open("rb") as file:
        head = file.read(512).lower()
    if b"<!doctype html" in head or b"<html" in head:
        return "a web page came in place of the file (does the network want a login in a browser first?)"
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    reason = getattr(error, "reason", None)
    return str(reason or error or type(error).__name__).strip()
