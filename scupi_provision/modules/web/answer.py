"""What a server answered, as `uri.sh` tells it, and by the names under which Ansible registers it."""

from __future__ import annotations

import http.cookies
import json
import re
from dataclasses import dataclass
from typing import Any

from scupi_provision.shell.replies import RunReply

_JSON_KINDS = ("json", "javascript")
"""Parts of a content type that mean JSON, as the module `uri` of Ansible has them."""


@dataclass(frozen=True)
class Answer:
    """One answer, the last one after redirections.

    Attributes:
        status: HTTP's code; -1 when nothing was answered.
        reason: HTTP's words for it, or why nothing was answered.
        headers: By lower-case name, as sent; several of one name are joined by commas.
        cookies: By name.
        body: What came; None when it is more than is kept of a program's output.
        size: Its bytes.
        fate: What became of `dest`: none, kept, same or unwritten.
    """

    status: int
    reason: str
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes | None
    size: int
    fate: str
    url: str
    redirected: bool


def answer_of(reply: RunReply, url: str) -> Answer:
    """The answer that a program's output holds."""
    last = reply.stdout.rstrip(b"\n").rpartition(b"\n")[2].decode("utf-8", "replace").split(" ", 4)
    if len(last) != 5 or not (last[0].isdecimal() and last[1].isdecimal() and last[3].isdecimal()):
        return _unanswered(reply, url)
    size, head_size = int(last[0]), int(last[1])
    rest = reply.stdout[: reply.stdout.rstrip(b"\n").rindex(b"\n")]
    heads = rest[len(rest) - head_size :].decode("utf-8", "replace") if head_size else ""
    code, reason, headers, cookies = _last_head(heads)
    if (
        code is None and reply.status == 0 and last[2] in {"same", "kept"}
    ):  # its sum was right before anything was asked
        return Answer(304, "Not Modified", {}, {}, b"", 0, last[2], url, redirected=False)
    if reply.status != 0 or code is None:
        return _unanswered(reply, url)
    body = rest[: len(rest) - head_size]
    whole = body if len(body) == size else None
    return Answer(code, reason, headers, cookies, whole, size, last[2], last[4] or url, int(last[3]) > 0)


def _unanswered(reply: RunReply, url: str) -> Answer:
    said = reply.stderr.decode("utf-8", "replace").strip()
    reason = re.sub(r"^curl: \(\d+\) ", "", said.splitlines()[-1] if said else "nothing was answered")
    return Answer(-1, f"Request failed: {reason}", {}, {}, None, 0, "none", url, redirected=False)


def _last_head(text: str) -> tuple[int | None, str, dict[str, str], dict[str, str]]:
    code: int | None = None
    reason, headers, cookies = "", dict[str, str](), dict[str, str]()
    for line in text.splitlines():
        status = re.match(r"HTTP/[\d.]+ (\d+) ?(.*)", line)
        if status:
            code, reason, headers, cookies = int(status[1]), status[2].strip(), {}, {}
            continue
        name, colon, value = line.partition(":")
        if not colon or code is None:
            continue
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
        if key == "set-cookie":
            cookies |= _cookies(value)
    return code, reason, headers, cookies


def _cookies(text: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in http.cookies.SimpleCookie(text.strip()).items()}
    except http.cookies.CookieError:
        return {}


def registered(answer: Answer) -> dict[str, Any]:
    """What `uri` registers of an answer, besides `msg` and the content: names with `_` for `-`."""
    headers = {name.replace("-", "_"): value for name, value in answer.headers.items()}
    values: dict[str, Any] = {
        **headers, "status": answer.status, "url": answer.url, "redirected": answer.redirected,
    }  # fmt: skip
    if 0 < answer.status < 400:
        values["cookies"] = dict(answer.cookies)
        values["cookies_string"] = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    return values


def parsed_json(answer: Answer) -> dict[str, Any]:
    """`{"json": …}` when the answer says that it is JSON and is."""
    kind = answer.headers.get("content-type", "").partition(";")[0].partition("/")[2].lower()
    if answer.body is None or not any(word in kind for word in _JSON_KINDS):
        return {}
    try:
        return {"json": json.loads(answer.body)}
    except ValueError:
        return {}
