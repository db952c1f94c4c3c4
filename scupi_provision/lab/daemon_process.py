"""The lab's daemon seen from outside: start it, find it, stop it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.farm import build_farms
from scupi_provision.lab.home import make_home
from scupi_provision.lab.keys import make_keys
from scupi_provision.lab.layout import LabLayout
from scupi_provision.lab.mirror import NONCE_PATH
from scupi_provision.lab.state import DaemonState, read_daemon_state

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 15.0
_POLL_S = 0.03


def start_daemon(layout: LabLayout, progress: Callable[[str], None]) -> DaemonState:
    """Make what the daemon needs and start it; returns when it answers.

    Raises:
        ProvisionError: It did not come up; the detail has the end of its log.
    """
    progress("starting admin1 and gpu2")
    stop_daemon(layout)  # one that holds the lock and does not answer
    make_home(layout.home)
    make_keys(layout)
    build_farms(layout)
    layout.mirror.mkdir(exist_ok=True)
    nonce = secrets.token_hex(8)
    with layout.log.open("ab") as log:
        started = subprocess.run(
            [sys.executable, "-m", "scupi_provision.lab.daemon", str(layout.directory), "--nonce", nonce],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=False,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while started.returncode == 0 and time.monotonic() < deadline:
        state = running_daemon(layout)
        if state and state.nonce == nonce:
            return state
        time.sleep(_POLL_S)
    raise ProvisionError("the lab did not start", detail=_log_tail(layout), hint=f"see {layout.log}")


def stop_daemon(layout: LabLayout) -> bool:
    """Stop the daemon and everything that it runs. False when there is none.

    Raises:
        ProvisionError: It does not end, not even when killed.
    """
    state = read_daemon_state(layout)
    return end_daemon(layout, state.pid if state else None)


def end_daemon(layout: LabLayout, pid: int | None) -> bool:
    """Stop the daemon that said it was process `pid`. False when there is none.

    Raises:
        ProvisionError: It does not end, not even when killed.
    """
    # The lock proves that the process with this id is the daemon and not one that got its number later.
    if not daemon_lives(layout):
        return False
    if pid is None:
        # A daemon that cannot find its state file ends by itself.
        return _ended(layout, _STOP_TIMEOUT_S)
    for number, patience_s in ((signal.SIGTERM, _STOP_TIMEOUT_S), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if _ended(layout, patience_s):
            return True
    raise ProvisionError(f"the lab's daemon (process {pid}) does not end", hint=f"see {layout.log}")


def _ended(layout: LabLayout, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while daemon_lives(layout):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def running_daemon(layout: LabLayout) -> DaemonState | None:
    """The state of the daemon if it lives and answers."""
    state = read_daemon_state(layout)
    if state is None or not daemon_lives(layout):
        return None
    # Never through a proxy: this address is our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{state.mirror_port}{NONCE_PATH}", timeout=5) as reply:
            answer: bytes = reply.read()
    except OSError:
        return None
    return state if answer.decode("utf-8", "replace") == state.nonce else None


def daemon_lives(layout: LabLayout) -> bool:
    """Whether a daemon holds the lab."""
    import fcntl  # noqa: PLC0415 - this module must be importable on Windows

    try:
        descriptor = os.open(layout.daemon_lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _log_tail(layout: LabLayout) -> str:
    lines = layout.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-10:])
