"""`access_time` and `modification_time` of `file`: what is to be set, where it is not so already."""

from __future__ import annotations

import time
from dataclasses import dataclass

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView

DEFAULT_FORMAT = "%Y%m%d%H%M.%S"


@dataclass(frozen=True)
class Times:
    """Both times as `shell.actions.Touch` has them; "" leaves one as it is."""

    accessed: str
    modified: str

    def __bool__(self) -> bool:
        return bool(self.accessed or self.modified)


@dataclass(frozen=True)
class Wish:
    """A time as the playbook says it: `now`, `preserve`, or text in `format`; None where it says nothing."""

    text: str | None
    format: str

    def asked(self, default: str) -> str:
        """As `touch -t` reads it, `now`, or "" to leave it.

        Raises:
            TaskFailedError: It is not in its format.
        """
        text = self.text or default
        if text in {"now", "preserve"}:
            return "" if text == "preserve" else text
        try:
            return time.strftime(DEFAULT_FORMAT, time.strptime(text, self.format))
        except ValueError as error:
            raise TaskFailedError(f"{text} is no time: {error}") from None


def times_to_set(host: HostView, path: str, accessed: Wish, modified: Wish, default: str) -> Times:
    """What is to be set at `path`; a time that the file has already is left alone."""
    wanted = [accessed.asked(default), modified.asked(default)]
    if any(when not in {"", "now"} for when in wanted) and host.entry(path).exists:
        lines = host.inspect("times", host.path(path), roots=(path,)).decode("ascii", "replace").splitlines()
        wanted = ["" if when == _as_touch(line) else when for when, line in zip(wanted, lines, strict=True)]
    return Times(*wanted)


def _as_touch(shown: str) -> str:
    """`2025-01-31 12:00:00.000 +0000` as `touch -t` would say it."""
    date, clock = shown.split(" ")[:2]
    hours, minutes, seconds = clock.partition(".")[0].split(":")
    return f"{date.replace('-', '')}{hours}{minutes}.{seconds}"
