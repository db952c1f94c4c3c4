"""The lab's mirror: plain files over HTTP on loopback, with what downloads need to resume (Range, If-Range, ETag)."""

from __future__ import annotations

import email.utils
import functools
import html
import logging
import os
import posixpath
import re
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

logger = logging.getLogger("scupi_provision.lab")

NONCE_PATH = "/.lab"
"""Answers with the nonce of the daemon that serves it: proof that a port still belongs to this lab."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 1 << 20
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}


def start_mirror(root: Path, port: int, nonce: str, address: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server for the files below `root`, bound to `port` of `address` (or any free one when taken or 0).

    The caller runs `serve_forever` in a thread, and `shutdown` and `server_close` at the end.
    """
    handler = functools.partial(MirrorHandler, root=root, nonce=nonce)
    try:
        return ThreadingHTTPServer((address, port), handler)
    except OSError:
        return ThreadingHTTPServer((address, 0), handler)


class MirrorHandler(BaseHTTPRequestHandler):
    """GET and HEAD of files; a directory answers with its index.html or with a listing."""

    protocol_version = "HTTP/1.1"
    server_version = "provision-lab-mirror"
    sys_version = ""
    timeout = 60

    def __init__(self, *arguments: object, root: Path, nonce: str) -> None:
        self._root = root
        self._nonce = nonce
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer GET."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer HEAD: the same headers, no body."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Send the access log to the lab's log."""
        logger.info("mirror: %s", format % args)

    def _answer(self, *, with_body: bool) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path == NONCE_PATH:
            self._send_text(self._nonce, "text/plain", with_body=with_body)
            return
        # Normalised as text, so "..", encoded or not, ends at the root; the files themselves may be links.
        target = self._root / posixpath.normpath("/" + path).lstrip("/")
        if "\0" not in path and target.is_dir():
            self._send_directory(path, target, with_body=with_body)
        elif "\0" not in path and target.is_file():
            with target.open("rb") as file:
                self._send_file(file, target, with_body=with_body)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send_directory(self, path: str, target: Path, *, with_body: bool) -> None:
        if not path.endswith("/"):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", urllib.parse.quote(path) + "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        index = target / "index.html"
        if index.is_file():
            text = index.read_text(encoding="utf-8")
        else:
            names = sorted(entry.name + "/" * entry.is_dir() for entry in os.scandir(target))
            text = "".join(f'<a href="{urllib.parse.quote(n)}">{html.escape(n)}</a><br>\n' for n in names)
        self._send_text(text, _TYPES[".html"], with_body=with_body)

    def _send_text(self, text: str, content_type: str, *, with_body: bool) -> None:
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _send_file(self, file: BinaryIO, target: Path, *, with_body: bool) -> None:
        status = os.fstat(file.fileno())
        tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        start, end = 0, status.st_size
        if wanted := self._wanted_range(tag, status.st_size):
            start, end = wanted
        if start >= end and wanted:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{status.st_size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{status.st_size}")
        self.send_header("Content-Type", _TYPES.get(target.suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", email.utils.formatdate(status.st_mtime, usegmt=True))
        self.end_headers()
        if with_body:
            self._send_bytes(file, start, end)

    def _wanted_range(self, tag: str, size: int) -> tuple[int, int] | None:
        """The half-open byte range asked for, or None for the whole file. Several ranges at once get the whole."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not match or self.headers.get("If-Range", tag) != tag:
            return None
        first, last = match.groups()
        if not first:
            return (max(0, size - int(last)), size) if last else None
        return int(first), min(size, int(last) + 1 if last else size)

    def _send_bytes(self, file: BinaryIO, start: int, end: int) -> None:
        file.seek(start)
        left = end - start
        try:
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                self.wfile.write(chunk)
                left -= len(chunk)
        except ConnectionError:
            self.close_connection = True  # the client had enough
