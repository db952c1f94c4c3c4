"""The real lab's one process on this machine: it holds the nodes and serves the mirror into admin1's network.

Started by `control.up` as `python -m scupi_provision.lab.real.daemon`. When it ends, however it ends, both nodes do.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.daemon import lock
from scupi_provision.lab.layout import ADMIN, LabLayout
from scupi_provision.lab.mirror import start_mirror
from scupi_provision.lab.real.entry import write_known_hosts
from scupi_provision.lab.real.network import in_network_of
from scupi_provision.lab.real.nodes import Nodes
from scupi_provision.lab.real.settings import LabSettings, read_settings
from scupi_provision.lab.real.state import (
    RealState,
    read_real_state,
    real_layout,
    settings_file,
    write_real_state,
)

logger = logging.getLogger("scupi_provision.lab")

MIRROR_PORT = 8080
"""On admin1's own loopback, where nothing else listens: addresses in files that an apply wrote stay true."""

IDLE_LIMIT_S = 2 * 60 * 60
_LOOK_AROUND_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Detach, hold the nodes until told to stop or idle for too long."""
    parser = argparse.ArgumentParser(prog="python -m scupi_provision.lab.real.daemon")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--nonce", required=True)
    options = parser.parse_args(arguments)
    layout = real_layout(options.directory)
    if os.fork():
        return 0  # the starter need not wait for us, and must not keep a zombie
    os.setsid()
    os.umask(0o022)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if not lock(layout):
        logger.error("another daemon holds %s", layout.directory)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    nodes = Nodes(layout, read_settings(settings_file(layout)) or LabSettings())
    try:
        _hold(layout, options.nonce, nodes, stop)
    except (ProvisionError, OSError) as error:
        why = error.diagnostics[0].detail if isinstance(error, ProvisionError) else ""
        logger.error("%s %s", error, why)  # noqa: TRY400 - `up` shows the end of this log to a person
        return 1
    finally:
        nodes.stop()
        logger.info("down")
    return 0


def _hold(layout: LabLayout, nonce: str, nodes: Nodes, stop: threading.Event) -> None:
    wiring = nodes.start()
    write_known_hosts(layout, wiring)
    with _mirror(layout, nonce, nodes.pids[ADMIN]) as port:
        write_real_state(layout, RealState(os.getpid(), nonce, wiring.number, port, nodes.pids))
        logger.info("up: lab %d, admin1 is %s", wiring.number, wiring.admin)
        busy = time.monotonic()
        while not stop.wait(_LOOK_AROUND_S):
            if nodes.in_use:
                busy = time.monotonic()
            if why := _reason_to_end(layout, nonce, nodes, time.monotonic() - busy):
                logger.info("ending: %s", why)
                return


@contextmanager
def _mirror(layout: LabLayout, nonce: str, admin_pid: int) -> Iterator[int]:
    """Serve the mirror on admin1's loopback, from here: on the node itself it would be a process of the node."""
    layout.mirror.mkdir(exist_ok=True)
    server = in_network_of(admin_pid, lambda: start_mirror(layout.mirror, MIRROR_PORT, nonce))
    threading.Thread(target=server.serve_forever, name="mirror", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _reason_to_end(layout: LabLayout, nonce: str, nodes: Nodes, idle_s: float) -> str:
    if not nodes.running:
        return "a node has ended"
    if idle_s >= IDLE_LIMIT_S:
        return f"nobody was there for {idle_s:.0f} s"
    state = read_real_state(layout)
    if state is None or state.nonce != nonce:
        return "the lab's directory is gone or belongs to another daemon"
    return ""


if __name__ == "__main__":
    sys.exit(main())
