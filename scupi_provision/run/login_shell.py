"""What keeps an account's login shell from starting our program, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from scupi_provision.errors import LoginShellError

Outcome = Literal["late", "ended", "flood", "eaten", "deaf"]
"""How a login failed: the files had not ended in time; the shell had, before our program began; they print without
end; they read what is meant for our program; they closed standard input."""

_LAST_LINES = 6

# bash: "restricted: cannot specify `/' in command names"; mksh and ksh93 "restricted".
_RESTRICTED = re.compile(r"\brestricted\b")
# util-linux and shadow's nologin both: "This account is currently not available."
_NOLOGIN = re.compile(r"account is (currently )?not available|nologin", re.IGNORECASE)


@dataclass(frozen=True)
class LoginFailure:
    """What was seen of a login that did not come to our program. The texts are the host's (untrusted).

    Attributes:
        outcome: How it failed.
        waited_s: How long the login files were waited for.
        printed: The last that came on standard output.
        said: The last that came on standard error.
        status: The shell's exit status, when it is known.
    """

    outcome: Outcome
    waited_s: float
    printed: str = ""
    said: str = ""
    status: int | None = None


def explained(failure: LoginFailure, account: str = "") -> LoginShellError:
    """The failure as an error: what, why as far as it can be known, and what to try."""
    if failure.outcome == "ended" and (closed := _closed_account(failure)):
        summary, hint = closed
    else:
        summary = _SUMMARIES[failure.outcome].format(seconds=f"{failure.waited_s:g}")
        hint = f"{_ADVICE[failure.outcome]}; to get the account back: {_command(account)}"
    return LoginShellError(summary, detail=_detail(failure), hint=hint)


_SUMMARIES: dict[Outcome, str] = {
    "late": "the account's login files have not ended after {seconds} s",
    "ended": "the account's login files ended the shell before our program began",
    "flood": "the account's login files print without end",
    "eaten": "a start-up file of the account reads what is meant for our program",
    "deaf": "a start-up file of the account has closed standard input, on which our program comes",
}
_ADVICE: dict[Outcome, str] = {
    "late": "a start-up file such as ~/.bashrc sleeps, loops or waits for input (if the host is only slow: the "
    "inventory's provision_login_timeout)",
    "ended": "look in ~/.bashrc for exit, exec, `set -e` and kill",
    "flood": "look in ~/.bashrc for a loop that prints",
    "eaten": "look in ~/.bashrc for read, cat, head or ssh without `</dev/null`",
    "deaf": "look in ~/.bashrc for `exec <`",
}


def _command(account: str) -> str:
    return f"provision rescue {account or 'ACCOUNT'}"


def _closed_account(failure: LoginFailure) -> tuple[str, str] | None:
    """Login shells that are meant to run nothing: summary and advice."""
    words = failure.printed + failure.said
    if _RESTRICTED.search(words):
        return "the account's login shell is restricted: it runs no program of ours", _ADMINISTRATOR
    if _NOLOGIN.search(words):
        return "the account's login shell lets nobody in", _ADMINISTRATOR
    return None


_ADMINISTRATOR = "only the administrator of the host can give the account another shell (such as bash)"


def _detail(failure: LoginFailure) -> str:
    parts = []
    if failure.status is not None and failure.outcome == "ended":
        parts.append(f"exit status {failure.status}")
    for what, text in (("printed", failure.printed), ("on standard error", failure.said)):
        lines = [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-_LAST_LINES:]
        if lines:
            parts.append(f"{what}: " + "\n  ".join(line[:300] for line in lines))
    return "\n".join(parts) or "nothing was printed"
