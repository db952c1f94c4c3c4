"""The body of a request, by `body_format`."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from scupi_provision.modules.data import plain_data


def encoded(body: Any, body_format: str) -> tuple[bytes, str]:
    """The bytes of `body` and their content type, "" for none.

    Raises:
        ValueError: It cannot be written in this format; the text says why.
    """
    if body_format == "json":
        if isinstance(body, str) and _is_json(body):
            return body.encode("utf-8"), "application/json"
        return json.dumps(plain_data(body)).encode("utf-8"), "application/json"
    if body_format == "form-urlencoded":
        pairs = body if isinstance(body, str) else urlencode(_pairs(body), doseq=True)
        return pairs.encode("utf-8"), "application/x-www-form-urlencoded"
    if body_format == "form-multipart":
        return _multipart(body)
    if isinstance(body, str):
        return body.encode("utf-8", "surrogateescape"), ""
    return json.dumps(plain_data(body)).encode("utf-8"), ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _pairs(body: Any) -> Any:
    if isinstance(body, Mapping):
        return {str(name): plain_data(value) for name, value in body.items()}
    if isinstance(body, list | tuple) and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in body):
        return [(str(name), plain_data(value)) for name, value in body]
    raise ValueError("a form is a mapping, or a list of pairs")


def _multipart(body: Any) -> tuple[bytes, str]:
    if not isinstance(body, Mapping):
        raise ValueError("form-multipart needs a mapping of fields")
    fields = list(_fields(body))
    mark = "provision-" + hashlib.sha256(b"".join(head + content for head, content in fields)).hexdigest()[:32]
    parts = [b"--" + mark.encode() + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in fields]
    return b"".join(parts) + b"--" + mark.encode() + b"--\r\n", f"multipart/form-data; boundary={mark}"


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in body.items():
        if not isinstance(value, Mapping):
            yield (
                f'Content-Type: text/plain\r\nContent-Disposition: form-data; name="{name}"'.encode(),
                str(value).encode(),
            )
            continue
        if "content" not in value:
            raise ValueError(f"{name}: give `content`, such as \"{{{{ lookup('file', …) }}}}\", beside filename")
        file = str(value.get("filename") or "")
        kind = str(value.get("mime_type") or mimetypes.guess_type(file)[0] or "application/octet-stream")
        head = f'Content-Type: {kind}\r\nContent-Disposition: form-data; name="{name}"'
        if file:
            head += f'; filename="{posixpath.basename(file)}"'
        yield head.encode(), str(value["content"]).encode("utf-8", "surrogateescape")
