"""Ansible's filters, by what they work on. Jinja's own (`join`, `map`, `selectattr`, `sort` …) are there besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scupi_provision.playbook.templating.filters import (
    addresses,
    chance,
    collections,
    encodings,
    numbers,
    texts,
    times,
    values,
    vaults,
)

FILTERS: dict[str, Callable[..., Any]] = {
    **values.FILTERS,
    **texts.FILTERS,
    **collections.FILTERS,
    **encodings.FILTERS,
    **numbers.FILTERS,
    **times.FILTERS,
    **addresses.FILTERS,
    **chance.FILTERS,
    **vaults.FILTERS,
}
