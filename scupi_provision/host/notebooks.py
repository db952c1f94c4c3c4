"""Jupyter servers as a node tells of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.values import Secret

_TOKEN = re.compile(r"token=[^&\s]+")  # Jupyter hides it in its log, but not where a request fails

_STATES = {
    "starting": "is starting",
    "running": "runs",
    "ended": "has ended",
    "lost": "runs, but its folder on the node is gone",
    "elsewhere": "runs on another machine of that name",
    "none": "is not there",
}


@dataclass(frozen=True)
class JupyterServer:
    """What a node says of one server.

    Attributes:
        key: Its job's name.
        state: "starting", "running", "ended", "lost" (its socket is gone), "elsewhere" or "none".
        environment: The path of its environment.
        since: When it was started, UTC, as ISO 8601.
        pid: The first process of its job, on `node`; None when it never got so far.
        node: What the machine calls itself.
        place: Its folder there.
        kernels: How many kernels it has.
        base_url: The path below which it serves.
        token: What clients must know; an empty one when the account's own configuration turns tokens off.
        said: Its last lines, where it does not run (untrusted text).
    """

    key: str
    state: str = "none"
    environment: str = ""
    since: str = ""
    pid: int | None = None
    node: str = ""
    place: str = ""
    kernels: int = 0
    base_url: str = "/"
    token: Secret = field(default_factory=lambda: Secret(""))
    said: tuple[str, ...] = ()

    @property
    def socket(self) -> str:
        """The UNIX socket at which it answers."""
        return f"{self.place}/s"

    @property
    def wording(self) -> str:
        """Its state as a person would say it."""
        return _STATES.get(self.state, "is as nobody has foreseen")


def servers_of(told: Sequence[tuple[str, str]]) -> list[JupyterServer]:
    """The servers that a node has told of (`shell/jupyter.sh`), each beginning with its key.

    Args:
        told: Names and values of facts, in the order in which they came.
    """
    groups: list[list[tuple[str, str]]] = []
    for name, value in told:
        if name == "server":
            groups.append([])
        if groups:
            groups[-1].append((name, value))
    return [_server(group) for group in groups]


def _server(told: Sequence[tuple[str, str]]) -> JupyterServer:
    facts = dict(told)
    info = _object(facts.get("info", ""))
    return JupyterServer(
        key=facts["server"],
        state=facts.get("state", "none"),
        environment=facts.get("path", ""),
        since=facts.get("since", ""),
        pid=_number(facts.get("pid", "")),
        node=facts.get("node", ""),
        place=facts.get("place", ""),
        kernels=_number(facts.get("kernels", "")) or 0,
        base_url=str(info.get("base_url", "/")),
        token=Secret(str(info.get("token", ""))),
        said=tuple(_TOKEN.sub("token=…", value) for name, value in told if name == "said"),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
