"""Numbers, durations and lists in words."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.report.visible import visible


def duration(seconds: float) -> str:
    """`seconds` for a person: "0.4s", "12s", "1m 52s", "2h 05m"."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 check", "12 checks"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Names in a row, made visible: "admin1", "admin1 and gpu2", "a, b and 28 others"."""
    shown = [visible(name) for name in names]
    if len(shown) > limit:
        return f"{', '.join(shown[: limit - 1])} and {len(shown) - limit + 1} others"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
