"""A server on loopback whose folders misbehave each in its own way, for whatever downloads."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONTENT = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(10_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PORTAL = b"\n<!DOCTYPE HTML>\n<html><body>Please log in</body></html>"


@dataclass
class Sources:
    """A server whose folders misbehave each in its own way; `asked` has the folder and Range of every request."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *folders: str) -> list[str]:
        return [f"{self.url}/{folder}/file.tar.xz" for folder in folders]


@contextmanager
def serving() -> Iterator[Sources]:
    """The server, while it runs."""
    made = Sources()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer as the folder of the path says."""
            folder = urlsplit(self.path).path.split("/")[1]  # also when it is asked as a proxy
            wanted = self.headers.get("Range", "")
            made.asked.append((folder, wanted))
            start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and folder != "forgetful" else 0
            body = {"portal": PORTAL, "flipped": CONTENT[:-1] + b"\0"}.get(folder, CONTENT)
            if folder == "missing":
                self.send_error(404)
                return
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            if folder == "stalling":
                self.wfile.write(body[start : start + len(body) // 2])
                self.wfile.flush()
                made.ended.wait(30)
                return
            self.wfile.write(body[start : len(body) // 2] if folder == "cut" else body[start:])

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who is left in the middle is no error
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()
