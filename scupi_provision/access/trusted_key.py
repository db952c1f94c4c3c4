"""The key of a host that is trusted, as people are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TrustedKey:
    """A hop's key that is trusted.

    Attributes:
        host: The hop's name in the inventory.
        address: Where it is dialled.
        port: TCP port.
        kind: Key type.
        fingerprint: `SHA256:…`.
        standing: Known before, pinned in the inventory, trusted just now, or put in place of another just now.
        place: Where that stands.
        text: The key as known_hosts has it.
    """

    host: str
    address: str
    port: int
    kind: str
    fingerprint: str
    standing: Literal["known", "pinned", "new", "replaced"]
    place: str
    text: str
