"""The line to a server: a stream for each client, over a connection that is made again when it was lost."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress

from scupi_provision.errors import ProvisionError, UnreachableError
from scupi_provision.events import Notice
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.run.fleet import Link
from scupi_provision.run.notebook.server import server_state, stop_server
from scupi_provision.shell import notebooks
from scupi_provision.transport.relay import Relay
from scupi_provision.transport.streams import OpensStreams, Stream, StreamRefusedError

_REST_S = 3.0
"""After a connection that could not be made: a browser that asks ten times a second shall not knock as often."""
_LOOK_S = 1.0

OpenLink = Callable[[], AbstractContextManager[Link]]


class Tunnel:
    """Streams to one server. Clients of the local port ask for them from several threads."""

    def __init__(self, server: JupyterServer, open_link: OpenLink, link: Link, connection: ExitStack) -> None:
        """Lead to `server`.

        Args:
            server: Where to.
            open_link: Logs in on its node once more, when the connection was lost.
            link: Its node, open now.
            connection: What closes `link`; it is the tunnel's from now on.
        """
        self._server = server
        self._open_link = open_link
        self._link = link
        self._connection = connection
        self._guard = threading.RLock()
        self._relay: Relay | None = None
        self._relays = False  # this node's sshd forwards to no sockets
        self._rest_until = 0.0
        self._failure: UnreachableError | None = None
        self._ended = False
        self._was_told = False
        self._told: queue.SimpleQueue[Notice] = queue.SimpleQueue()

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._hang_up()

    def open_stream(self) -> Stream:
        """A new stream to the server; logs in again first when the connection was lost.

        Raises:
            StreamRefusedError: The server has ended.
            UnreachableError: The node cannot be reached now.
        """
        link = self._living_link()
        try:
            return self._stream(link)
        except StreamRefusedError:
            raise
        except UnreachableError:
            if link.transport.alive:
                raise
        return self._stream(self._living_link())  # it died just now

    def stop_server(self) -> None:
        """End the server, as far as the connection still allows it: what began in a job must not outlive the job."""
        with self._guard, suppress(ProvisionError):
            stop_server(self._link.session, self._server.key)

    def events(self) -> Iterator[Notice]:
        """What happens to the line, as it happens, until the server has ended."""
        while not (self._ended and self._told.empty()):
            if (notice := self._next()) is not None:
                yield notice
            else:
                self._look()

    # --- streams --------------------------------------------------------------------------------------------------

    def _stream(self, link: Link) -> Stream:
        if not self._relays and isinstance(link.transport, OpensStreams):
            try:
                return link.transport.open_stream(self._server.socket)
            except StreamRefusedError:  # sshd does not say why
                self._require_running(link)
        try:
            stream = self._living_relay(link).open_stream()
        except StreamRefusedError:
            self._require_running(link)
            raise
        self._note_relay()
        return stream

    def _require_running(self, link: Link) -> None:
        """Raise StreamRefusedError when the node says that the server runs no more."""
        with self._guard:
            now = server_state(link.session, self._server.key)
            if (now.state, now.place) == ("running", self._server.place):
                return
            ended = StreamRefusedError("the Jupyter server has ended", hint="start it again: provision jupyter")
            if not self._ended:
                self._ended = True
                self._tell("the Jupyter server has ended; `provision jupyter` starts it again", "warning")
        raise ended

    def _living_relay(self, link: Link) -> Relay:
        with self._guard:
            if self._relay is None or not self._relay.alive:
                word = secrets.token_hex(8)
                command = notebooks.relay_command(self._server.environment, self._server.place, word)
                self._relay = Relay(link.transport, command, word)
            return self._relay

    def _note_relay(self) -> None:
        with self._guard:
            if self._relays:
                return
            self._relays = True
        self._tell("its SSH server forwards to no socket from here: a small relay runs there instead", "info")

    # --- the connection -------------------------------------------------------------------------------------------

    def _living_link(self) -> Link:
        with self._guard:
            if self._link.transport.alive:
                return self._link
            if self._failure is not None and time.monotonic() < self._rest_until:
                raise self._failure
            self._hang_up()
            try:
                link = self._connection.enter_context(self._open_link())
            except ProvisionError as error:
                raise self._remember(error) from error
            self._link, self._failure, self._was_told = link, None, False
            self._tell("connected again; the kernels have gone on", "info")
            return link

    def _remember(self, error: ProvisionError) -> UnreachableError:
        found = error.diagnostic
        self._failure = UnreachableError(found.summary, detail=found.detail, hint=found.hint)
        self._rest_until = time.monotonic() + _REST_S
        self._tell_once(self._failure)
        return self._failure

    def _hang_up(self) -> None:
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        self._connection.close()

    def _next(self) -> Notice | None:
        try:
            return self._told.get(timeout=_LOOK_S)
        except queue.Empty:
            return None

    def _look(self) -> None:
        with self._guard:
            if self._link.transport.alive or self._was_told:
                return
            self._was_told = True
        self._tell("the connection was lost: the next request makes it again; the server goes on", "warning")

    # --- what people are told -------------------------------------------------------------------------------------

    def _tell(self, text: str, level: str) -> None:
        self._told.put(Notice(text, self._link.host.base, level))

    def _tell_once(self, error: UnreachableError) -> None:
        with self._guard:
            if self._was_told:
                return
            self._was_told = True
        self._tell(str(error), "warning")
