"""Arguments that hold data of any shape, as built-in values."""

from __future__ import annotations

from typing import Any

from scupi_provision.source.scalars import typed
from scupi_provision.values import SourceText, plain_value


def plain_data(value: Any) -> Any:
    """`value` of built-in types, in which a number is a number, as it is in a variable.

    Args:
        value: What a task gives, of which the scalars written in the playbook are still texts (`SourceText`).
    """
    if isinstance(value, SourceText) and value.plain:
        value = typed(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {str(plain_value(key)): plain_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    return plain_value(value)
