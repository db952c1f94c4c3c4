"""Sessions through login shells that are in the way: each works, or is explained within ten seconds (G18)."""

from __future__ import annotations

import re
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # whatever pytest's import mode
sys.path.insert(1, str(Path(__file__).parents[1] / "transport"))

from hostile_logins import HOSTILE
from login_farm import Farm, hostile_farm
from scupi_provision.errors import LoginShellError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.session import Session
from scupi_provision.transport.ssh import connect

_AT_ONCE = 8
_LIMIT_S = 10.0
_ENDING_S = 5.0


@dataclass(frozen=True)
class Seen:
    """One login: its facts, or the error, and how long it took."""

    facts: dict[str, str] | None
    error: LoginShellError | None
    seconds: float
    left: list[str]


@pytest.fixture(scope="module")
def farm():
    with hostile_farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def logins(farm) -> dict[str, Future[Seen]]:
    """Every login, several at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {each.name: pool.submit(_log_in, farm, each.name) for each in HOSTILE}


def _log_in(farm: Farm, account: str) -> Seen:
    transport = connect((farm.hop(account),))
    session = Session(transport, run_id="run-1", owner="tests", account=account)
    snapshot, error = Snapshot(), None
    begin = time.monotonic()
    try:
        session.read(Needs(facts=True), snapshot)
    except LoginShellError as caught:
        error = caught
    seconds = time.monotonic() - begin
    session.close()
    transport.close()
    facts = snapshot.facts.variables() if snapshot.facts else None
    return Seen(facts, error, seconds, _left(farm, account) if error else [])


def _left(farm: Farm, account: str) -> list[str]:
    """What still runs a moment after a failed login."""
    until = time.monotonic() + _ENDING_S
    while (left := farm.processes(account)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
def test_every_login_shell_works_or_is_explained(hostile, farm, logins):
    seen = logins[hostile.name].result()
    if not hostile.explained:
        assert seen.error is None, str(seen.error) + seen.error.diagnostic.detail
        assert seen.facts["user_dir"] == str(farm.home(hostile.name))
        return
    assert seen.error is not None
    diagnostic = seen.error.diagnostic
    assert re.search(hostile.explained, f"{diagnostic.summary}\n{diagnostic.detail}")
    assert seen.seconds < _LIMIT_S
    assert seen.left == []
