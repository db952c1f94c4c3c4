"""For all tests: no network but loopback, and in CI no test that is skipped without anybody noticing."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

_ACCEPTED_SKIP = "needs a GPU"
"""The only reason for a skip that CI accepts: it has no accelerator."""

_REAL_FOLDERS = frozenset({"cli", "conformance", "e2e", "faults", "lab", "reallab", "run", "shell", "transport"})
"""Tests that start shells, servers and whole runs; all others are unit tests, to be run after every change."""

_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class OutsideLoopbackError(OSError):
    """A test tried to talk to another machine. An OSError, so that code under test sees a network out of reach."""


class _NetworkGuard:
    """An audit hook, which no library can go around. It holds for this process, not for programs that tests start."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CONNECTING:
            return
        address = arguments[1]
        if not isinstance(address, tuple) or _is_loopback(str(address[0])):
            return
        self.refused.append(f"{address[0]} port {address[1]}")
        raise OutsideLoopbackError(f"tests may only talk to loopback, not to {address[0]}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in {"", "localhost"}


_guard = _NetworkGuard()


# CI finds the same as yesterday; who works on the project finds something new now and then.
settings.register_profile("ci", derandomize=True)


def _heed_signals() -> None:
    """Who runs the tests in the background (nohup, `&`) has them and all they start ignore these signals."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Guard the network from before the first import of a test module."""
    sys.addaudithook(_guard)
    _heed_signals()
    if os.environ.get("PROVISION_CI"):
        settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is no unit test."""
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in _REAL_FOLDERS:
            item.add_marker("real")


@pytest.fixture(autouse=True)
def _loopback_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """A refused connection fails its test even where the code under test coped with it.

    Not so for whole runs in the lab, which ask upstream for the real sources first and do without when they must.
    """
    before = len(_guard.refused)
    yield
    refused = _guard.refused[before:]
    if refused and not any(request.node.get_closest_marker(name) for name in ("lab", "slow")):
        pytest.fail(f"tried to connect to {', '.join(refused)}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skipped test has failed."""
    outcome: Any = yield
    _refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """In CI a skipped module has failed."""
    outcome: Any = yield
    _refuse_skip(outcome.get_result())


def _refuse_skip(report: Any) -> None:
    if not os.environ.get("PROVISION_CI") or not report.skipped or hasattr(report, "wasxfail"):
        return
    path, line, message = report.longrepr
    reason = str(message).removeprefix("Skipped: ")
    if not reason.startswith(_ACCEPTED_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: skipped, which CI does not accept: {reason}"


@pytest.fixture(scope="session")
def applets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with busybox as every tool it has."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    directory = tmp_path_factory.mktemp("applets")
    names = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in names:
        (directory / name).symlink_to(busybox)
    return directory
