"""Durable jobs of an account, as a host tells of them (`shell/job_look.sh`)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

_STATES = {"done", "running", "elsewhere", "gone", "missing", "erased"}


@dataclass(frozen=True)
class Job:
    """One durable job.

    Attributes:
        name: Its directory's name below `~/.provision/jobs`.
        state: done, running, elsewhere (begun on another node: whether it runs cannot be told here), gone (it was
            killed), missing, or erased.
        status: Its exit status, once it is done.
        node: The node that it was begun on.
        times: When it began, and when it ended, by the host's clock; as many as are known.
        limit_s: Seconds that it may take, or None.
        timed_out: Whether it was ended because its time was over.
        title: What it is, for people.
        out: Of its standard output as much as was asked for.
        err: Likewise of its standard error.
    """

    name: str
    state: str = "missing"
    status: int | None = None
    node: str = ""
    times: tuple[str, ...] = ()
    limit_s: int | None = None
    timed_out: bool = False
    title: str = ""
    out: bytes = b""
    err: bytes = b""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in {"done", "gone", "missing", "erased"}


def jobs_of(told: str) -> list[Job]:
    """The jobs in what a host told, in its order; lines that nobody knows are passed over."""
    groups: list[dict[str, str]] = []
    for line in told.splitlines():
        name, _, value = line.partition(" ")
        if name == "job":
            groups.append({})
        if groups:
            groups[-1][name] = value
    return [_job(facts) for facts in groups]


def jobs_in(encoded: str) -> list[Job]:
    """The jobs in what a host told in base64."""
    return jobs_of(_bytes(encoded).decode("utf-8", "replace"))


def _job(facts: dict[str, str]) -> Job:
    state = facts.get("state", "missing")
    return Job(
        name=facts["job"],
        state=state if state in _STATES else "gone",
        status=_number(facts.get("rc", "")),
        node=facts.get("node", ""),
        times=tuple(facts[name] for name in ("began", "ended") if facts.get(name)),
        limit_s=_number(facts.get("limit", "")),
        timed_out="timeout" in facts,
        title=_bytes(facts.get("title", "")).decode("utf-8", "replace").strip(),
        out=_bytes(facts.get("out", "")),
        err=_bytes(facts.get("err", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
