"""One Jupyter server on a node: a durable job that answers at a socket. Started, found again, ended."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterator, Sequence

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Notice
from scupi_provision.host.notebooks import JupyterServer, servers_of
from scupi_provision.run.notebook.environment import Environment
from scupi_provision.run.session import Session
from scupi_provision.shell import notebooks
from scupi_provision.shell.replies import FactReply
from scupi_provision.values import Secret

_TOKEN_BYTES = 24
_START_S = 120.0
"""How long a server may take until it listens: Python imports hundreds of files from a cold shared home."""
_LOOK_S = 0.5
_TELL_S = 10.0


def prefix_of(base: str) -> str:
    """How the keys of all servers on the node called `base` begin."""
    return f"jupyter-{re.sub(r'[^A-Za-z0-9.]', '_', base)}-"


def key_of(base: str, environment: str) -> str:
    """One server for each environment on each node: whoever starts it again joins it."""
    return prefix_of(base) + hashlib.sha256(environment.encode()).hexdigest()[:8]


def start_server(session: Session, base: str, environment: Environment) -> Iterator[Notice | JupyterServer]:
    """Start the environment's server, or join the one that runs; yields what there is to tell, and last the server.

    Raises:
        ProvisionError: It could not be started, or ended at once.
    """
    key = key_of(base, environment.path)
    token = Secret(secrets.token_hex(_TOKEN_BYTES))
    told = session.ask(notebooks.start(key, environment.path, token, environment.kernel()))
    _require_done(told, "the server could not be started")
    began = time.monotonic()
    next_word = began + _TELL_S
    while True:
        server = server_state(session, key)
        if server.state == "running":
            yield server
            return
        waited = time.monotonic() - began
        if server.state != "starting" or waited > _START_S:
            raise _not_running(server, waited)
        if time.monotonic() > next_word:
            next_word += _TELL_S
            yield Notice(f"the server is starting ({waited:.0f} s): {(server.said or ('',))[-1]}", base)
        time.sleep(_LOOK_S)


def server_state(session: Session, key: str) -> JupyterServer:
    """What the session's host says of the server `key`."""
    (server,) = _told(session, notebooks.state(key))
    return server


def running_servers(session: Session, base: str) -> list[JupyterServer]:
    """Every server of this account that the node called `base` knows of, whatever has become of it."""
    return _told(session, notebooks.listing(prefix_of(base)))


def stop_server(session: Session, key: str) -> None:
    """End a server and its kernels, and remove what it has left.

    Raises:
        ProvisionError: The node could not do it.
    """
    _require_done(session.ask(notebooks.stop(key)), "the server could not be stopped")


def _told(session: Session, question: str) -> list[JupyterServer]:
    return servers_of([(fact.name, fact.value) for fact in session.ask(question)])


def _require_done(told: Sequence[FactReply], what: str) -> None:
    for fact in told:
        if fact.name == "problem":
            raise ProvisionError(what, detail=fact.value, hint="look at quota, and at /tmp on the node")


def _not_running(server: JupyterServer, waited_s: float) -> ProvisionError:
    said = "\n".join(server.said)
    if server.state == "starting":
        summary = f"the server does not listen after {waited_s:.0f} s"
        return ProvisionError(summary, detail=said, hint="end it with `provision jupyter --stop`, and start it again")
    if server.state == "lost":
        hint = "its kernels can no longer be reached: end it with `provision jupyter --stop`, and start it again"
        return ProvisionError(f"the server {server.wording}", detail=f"it was {server.place}", hint=hint)
    return ProvisionError(
        "the server ended at once",
        detail=said or "it said nothing",
        hint="the lines above are its own; a setting in ~/.jupyter counts for it, too",
    )
