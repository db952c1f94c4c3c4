"""Filters on points in time, and `now()`."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure


def to_datetime(value: Any, format: str = "%Y-%m-%d %H:%M:%S") -> datetime:  # noqa: A002 - Ansible's name
    """The point in time that a text names."""
    try:
        return datetime.strptime(str(value), format)  # noqa: DTZ007 - without a zone, as in Ansible
    except ValueError as error:
        raise TemplateFailure(str(error)) from None


def strftime(format: Any, second: Any = None, utc: bool = False) -> str:  # noqa: A002 - Ansible's name
    """The time `second` (since 1970; now, when none is given) in the form `format`."""
    try:
        moment = time.time() if second is None else float(second)
    except (TypeError, ValueError):
        raise TemplateFailure(f"{second!r} is not a number of seconds since 1970") from None
    return time.strftime(str(format), time.gmtime(moment) if utc else time.localtime(moment))


def now(utc: bool = False, fmt: str | None = None) -> Any:
    """The time on this machine, as a text when `fmt` says its form."""
    moment = datetime.now(timezone.utc).replace(tzinfo=None) if utc else datetime.now()  # noqa: DTZ005 - Ansible's
    return moment.strftime(fmt) if fmt else moment


FILTERS: dict[str, Callable[..., Any]] = {"to_datetime": to_datetime, "strftime": strftime}
