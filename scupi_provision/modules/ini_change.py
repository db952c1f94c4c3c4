"""What `ini_file` is to make of an option."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """What is to become of an option.

    Attributes:
        option: Its name; None for the section as a whole.
        values: Each once.
        spaced: What stands on both sides of `=`.
        inactive: Whether a line that is commented out counts as the option's.
    """

    option: str | None
    values: list[str]
    spaced: str
    exclusive: bool
    ignore_spaces: bool
    allow_no_value: bool
    inactive: bool

    def line(self, value: str | None, option: str | None = None) -> str:
        """The option as a line."""
        name = option or self.option
        return f"{name}\n" if value is None else f"{name}{self.spaced}={self.spaced}{value}\n"
