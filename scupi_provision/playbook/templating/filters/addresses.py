"""Filters on URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from scupi_provision.playbook.templating.failures import TemplateFailure

_PARTS = ("fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username")


def split_url(value: Any, query: str = "") -> Any:
    """The parts of a URL, or the one that `query` names."""
    try:
        found = urlsplit(str(value))
        parts = {name: getattr(found, name) for name in _PARTS}
    except ValueError as error:
        raise TemplateFailure(f"{value!r} is not a URL: {error}") from None
    if not query:
        return parts
    if query not in parts:
        raise TemplateFailure(f"a URL has no part {query!r}", hint=", ".join(_PARTS))
    return parts[query]


FILTERS: dict[str, Callable[..., Any]] = {
    "urlsplit": split_url,
    "urldecode": lambda value: unquote_plus(str(value)),
}
