"""Every error a user can meet, as data: what, where, why, what to try. Nothing here formats for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, order=True)
class Position:
    """A place in a source file. Lines and columns count from 1; columns count characters, not bytes."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong.

    Attributes:
        summary: What is wrong, one sentence without a final full stop.
        where: The place, when there is one.
        excerpt: The text of the line at `where` (the console draws the caret under `where.column`).
        detail: Why it is wrong; may have several lines.
        hint: What to try.
    """

    summary: str
    where: Position | None = None
    excerpt: str = ""
    detail: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.summary}{hint}"


class ProvisionError(Exception):
    """Base of every error that is reported to the user without a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        summary: str,
        *,
        where: Position | None = None,
        excerpt: str = "",
        detail: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(summary)
        self.diagnostics: tuple[Diagnostic, ...] = (Diagnostic(summary, where, excerpt, detail, hint),)

    @property
    def diagnostic(self) -> Diagnostic:
        """The first (usually the only) diagnostic."""
        return self.diagnostics[0]

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class InputError(ProvisionError):
    """Playbook, inventory, option or file is not valid; no host was touched."""

    exit_code = 2

    @classmethod
    def of(cls, diagnostics: list[Diagnostic]) -> InputError:
        """Bundle everything that is wrong with a site into one error. `diagnostics` must not be empty."""
        error = cls(diagnostics[0].summary)
        error.diagnostics = tuple(diagnostics)
        return error


class StepFailedError(ProvisionError):
    """A task failed on a host."""

    exit_code = 1


class UnreachableError(ProvisionError):
    """A host could not be reached, or the connection was lost and could not be resumed."""

    exit_code = 3


class HostKeyError(UnreachableError):
    """A host's key is unknown, changed or revoked; refused before authentication."""


class AuthenticationError(UnreachableError):
    """The host did not accept the account's key."""


class LoginShellError(UnreachableError):
    """The host let us in, but the account's login shell or its start-up files let no program begin."""


class LockedError(ProvisionError):
    """Somebody else's run holds the lock of this home."""

    exit_code = 3


class StalePlanError(ProvisionError):
    """A saved plan no longer fits the host: something it relied on has changed."""

    exit_code = 1


class LockDriftError(ProvisionError):
    """A site asks for something that its lock does not have, or its hosts are not those that it was made for."""

    exit_code = 1


class InternalError(ProvisionError):
    """A bug in provision itself."""

    exit_code = 70
