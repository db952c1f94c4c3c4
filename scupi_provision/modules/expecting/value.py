"""`expect` on a value of the playbook."""

from __future__ import annotations

import json
from typing import Any

from scupi_provision.modules.contract import Claim
from scupi_provision.values import plain_value


def claims(value: Any, wanted: Any) -> tuple[Claim, ...]:
    """That `value` equals `wanted`; a number and the text of that number are the same."""
    return (Claim(_comparable(value) == _comparable(wanted), f"the value {_shown(wanted)}", _shown(value)),)


def _comparable(value: Any) -> Any:
    plain = plain_value(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, str) and plain.lower() in {"true", "false"}:
        return plain.lower()
    if isinstance(plain, int | float):
        return str(plain)
    if isinstance(plain, list):
        return [_comparable(item) for item in plain]
    if isinstance(plain, dict):
        return {key: _comparable(item) for key, item in plain.items()}
    return plain


def _shown(value: Any) -> str:
    return (
        value if isinstance(value, str) and value else json.dumps(plain_value(value), ensure_ascii=False, default=str)
    )
