"""What a person did or asked that cannot be."""

from __future__ import annotations


class CondaError(Exception):
    """Ends the program with status 1; printed as conda prints its own: the kind, then what is wrong.

    Args:
        kind: The name that conda gives to this error, for example "EnvironmentLocationNotFound".
        text: What is wrong.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
