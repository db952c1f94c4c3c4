"""The lab's one process: both SSH servers and the mirror. Started by `control.up` as `python -m …lab.daemon`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import platform
import signal
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

from scupi_provision.lab.cluster import Activity, Cluster
from scupi_provision.lab.keys import write_known_hosts
from scupi_provision.lab.layout import LabLayout, lab_layout
from scupi_provision.lab.mirror import start_mirror
from scupi_provision.lab.processes import adopt_orphans, end_family, reap_adopted
from scupi_provision.lab.state import DaemonState, read_daemon_state, write_daemon_state

logger = logging.getLogger("scupi_provision.lab")

IDLE_LIMIT_S = 2 * 60 * 60
_LOOK_AROUND_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Detach, serve until told to stop or idle for too long, end every process of the lab."""
    parser = argparse.ArgumentParser(prog="python -m scupi_provision.lab.daemon")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--nonce", required=True)
    parser.add_argument("--idle-limit", type=float, default=IDLE_LIMIT_S, metavar="SECONDS")
    options = parser.parse_args(arguments)
    layout = lab_layout(options.directory)
    if os.fork():
        return 0  # the starter need not wait for us, and must not keep a zombie
    os.setsid()
    os.umask(0o022)  # sshd's, whatever the person's is
    return _serve_detached(layout, options.nonce, options.idle_limit)


def _serve_detached(layout: LabLayout, nonce: str, idle_limit_s: float) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    if not lock(layout):
        logger.error("another daemon serves %s", layout.directory)
        return 1
    adopt_orphans()
    try:
        asyncio.run(_serve(layout, nonce, idle_limit_s))
    finally:
        # Linux finds every descendant through the adoption; elsewhere the daemon's own children and their groups.
        end_family(os.getpid())
        logger.info("down")
    return 0


def lock(layout: LabLayout) -> bool:
    """Take the lock that says that this lab's daemon lives; it is held until the process ends."""
    descriptor = os.open(layout.daemon_lock, os.O_RDWR | os.O_CREAT, 0o600)
    # Whoever asks whether a daemon lives holds the lock for a moment; do not take that for a daemon.
    for _ in range(100):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.01)
    os.close(descriptor)
    return False


async def _serve(layout: LabLayout, nonce: str, idle_limit_s: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The ports of the last start when they are free: addresses in files that an apply wrote stay true.
    last = read_daemon_state(layout)
    cluster = Cluster(layout)
    mirror = start_mirror(layout.mirror, last.mirror_port if last else 0, nonce)
    threading.Thread(target=mirror.serve_forever, name="mirror", daemon=True).start()
    try:
        admin_port = await cluster.start(last.admin_port if last else 0)
        write_known_hosts(layout, admin_port)
        write_daemon_state(layout, DaemonState(os.getpid(), nonce, admin_port, mirror.server_port, _versions()))
        logger.info("up: admin1 on port %d, mirror on port %d", admin_port, mirror.server_port)
        await _until_stopped(stop, layout, nonce, cluster, idle_limit_s)
    finally:
        await cluster.close()
        mirror.shutdown()
        mirror.server_close()
        end_family(os.getpid(), _groups(cluster))


async def _until_stopped(
    stop: asyncio.Event, layout: LabLayout, nonce: str, cluster: Cluster, idle_limit_s: float
) -> None:
    while not stop.is_set():
        reap_adopted(frozenset(cluster.running))
        if why := _reason_to_end(layout, nonce, cluster.activity, idle_limit_s):
            logger.info("ending: %s", why)
            return
        try:
            await asyncio.wait_for(stop.wait(), min(_LOOK_AROUND_S, idle_limit_s))
        except asyncio.TimeoutError:
            continue


def _reason_to_end(layout: LabLayout, nonce: str, activity: Activity, idle_limit_s: float) -> str:
    if activity.idle_s >= idle_limit_s:
        return f"no connection for {idle_limit_s:.0f} s"
    state = read_daemon_state(layout)
    if state is None or state.nonce != nonce:
        return "the lab's directory is gone or belongs to another daemon"
    return ""


def _groups(cluster: Cluster) -> frozenset[int]:
    """Where orphans are not adopted, the process groups of all commands; on Linux a number may be reused by then."""
    return frozenset() if sys.platform == "linux" else frozenset(cluster.started)


def _versions() -> dict[str, str]:
    return {
        "provision": version("scupi-provision"),
        "asyncssh": version("asyncssh"),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
