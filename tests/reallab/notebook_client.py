"""What a browser with a notebook does: HTTP with a token, and a WebSocket (RFC 6455) to a kernel."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import struct
import uuid
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

PATIENCE_S = 30.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Notebook:
    """A client of one Jupyter server, by the address that a person opens."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port = parts.port
        self.token = parse_qs(parts.query)["token"][0]

    def ask(self, method, path, body=None, *, token=None):
        """The status and the JSON of an answer; `token` "" asks without one."""
        given = self.token if token is None else token
        headers = {"Authorization": f"token {given}"} if given else {}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)) as line:
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            text = answer.read()
        return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text

    def kernel(self):
        """The id of the server's kernel; one is started when there is none."""
        _, kernels = self.ask("GET", "/api/kernels")
        return kernels[0]["id"] if kernels else self.ask("POST", "/api/kernels", {})[1]["id"]

    def execute(self, code):
        """What a cell shows: its prints, its value, its error."""
        with closing(_WebSocket(self.port, f"/api/kernels/{self.kernel()}/channels?token={self.token}")) as kernel:
            question = _execute_request(code)
            kernel.send(json.dumps(question))
            shown = []
            while True:
                message = json.loads(kernel.receive())
                if message["parent_header"].get("msg_id") != question["header"]["msg_id"]:
                    continue
                content = message["content"]
                if content.get("execution_state") == "idle":
                    return "".join(shown)
                shown.append(_shown(message["msg_type"], content))


def _execute_request(code):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    header |= {"username": "", "session": "test", "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    return {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "content": content}


def _shown(kind, content):
    if kind == "stream":
        return content["text"]
    if kind == "execute_result":
        return content["data"]["text/plain"]
    return content["evalue"] if kind == "error" else ""


class _WebSocket:
    """Just enough of a client: text frames out, whole text messages in, pings answered."""

    def __init__(self, port, path):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._input = self._socket.makefile("rb")
        status = self._input.readline()
        assert b"101" in status, status
        while self._input.readline().strip():
            continue

    def send(self, text):
        self._frame(_TEXT, text.encode())

    def receive(self):
        message = b""
        while True:
            first, second = self._input.read(2)
            length = second & 127
            if length >= 126:
                (length,) = struct.unpack("!H" if length == 126 else "!Q", self._input.read(2 if length == 126 else 8))
            data = self._input.read(length)
            kind = first & 15
            if kind == _PING:
                self._frame(_PONG, data)
            elif kind == _CLOSE:
                raise ConnectionError(f"the server closed the WebSocket: {data!r}")
            else:
                message += data
                if first & 128:
                    return message.decode()

    def close(self):
        self._input.close()
        self._socket.close()

    def _frame(self, kind, data):
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 128 | kind, 128 | size)
        else:
            head = struct.pack("!BBH", 128 | kind, 128 | 126, size)  # no cell of a test has 64 KiB
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self._socket.sendall(head + mask + masked)
