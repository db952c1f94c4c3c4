"""What some ways to a host can do besides opening shells; asked for with `isinstance`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class OffersSftp(Protocol):
    """A transport over which an SFTP server may be reached."""

    def sftp_greets(self, limit_s: float) -> bool | None:
        """MUST say whether the host's SFTP server answers a greeting within the limit; None when there is none."""
