"""A port here that leads to a socket there: over a real sshd, by its own forwarding or by the relay."""

import hashlib
import os
import secrets
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from loopback import SSHD, openssh_server
from scupi_provision.errors import InputError, UnreachableError
from scupi_provision.shell import notebooks
from scupi_provision.transport.forwarding import ADDRESS, LocalPort
from scupi_provision.transport.local import LocalTransport
from scupi_provision.transport.relay import Relay
from scupi_provision.transport.ssh import connect
from scupi_provision.transport.streams import StreamRefusedError

pytestmark = pytest.mark.skipif(not SSHD.exists(), reason=f"needs OpenSSH's {SSHD}")

USER = "root" if os.geteuid() == 0 else os.environ.get("USER", "")
BIG = 6 * 1024 * 1024
PATIENCE_S = 20.0


class _Behaviour(socketserver.BaseRequestHandler):
    """The first line says what the server does: echo, hash everything until the end, send much, hang up."""

    def handle(self):
        lines = self.request.makefile("rb")
        word = lines.readline().strip()
        if word == b"echo":
            while data := lines.read1(65536):
                self.request.sendall(data)
        elif word == b"hash":
            self.request.sendall(hashlib.sha256(lines.read()).hexdigest().encode())
        elif word == b"much":
            self.request.sendall(b"x" * BIG)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """Clients that are cut are what some tests are about."""


@pytest.fixture
def place():
    """A folder with a short name, as the path of a socket must have."""
    folder = Path(tempfile.mkdtemp(prefix="fwd-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def path(place):
    """A socket at which something answers, as `_Behaviour` says."""
    with _Server(str(place / "s"), _Behaviour) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield str(place / "s")
        server.shutdown()
        thread.join()


@pytest.fixture
def sshd(tmp_path, keys, key_file, known_hosts, hop):
    """`sshd(**options)`: a route to an sshd with these settings."""
    servers = []

    def start(**options):
        server = openssh_server(tmp_path / "gpu2", key_file(keys.host, "host"), keys.user, **options)
        servers.append(server)
        port = server.__enter__()
        return (hop(port, known_hosts((port, keys.host)), name="gpu2", user=USER),)

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def relay_to(place):
    """`relay_to(transport, path)`: a relay that runs there."""
    (place / "relay.py").write_text(notebooks.relay_program())
    relays = []

    def start(transport, path, noise=""):
        word = secrets.token_hex(8)
        command = f"{noise}exec {sys.executable} -I {place}/relay.py {path} {word}"
        relays.append(Relay(transport, command, word))
        return relays[-1]

    yield start
    for relay in relays:
        relay.close()


@pytest.fixture(params=["by sshd", "by the relay"])
def dial(request, sshd, path, relay_to):
    """Opens streams to the socket, in both of the ways that there are."""
    transport = connect(sshd())
    if request.param == "by sshd":
        yield lambda: transport.open_stream(path)
    else:
        yield relay_to(transport, path).open_stream
    transport.close()


def _sorry(error):
    return f"sorry: {error}".encode()


@pytest.fixture
def port(dial):
    listening = LocalPort(dial, _sorry, port=0)
    yield listening
    listening.close()


def _client(port):
    return socket.create_connection((ADDRESS, port.port), timeout=PATIENCE_S)


def _all_of(client):
    pieces = []
    while data := client.recv(65536):
        pieces.append(data)
    return b"".join(pieces)


def test_what_a_client_says_comes_back(port):
    with _client(port) as client:
        client.sendall(b"echo\nhello")
        assert client.recv(100) == b"hello"
        client.sendall(b"again")
        assert client.recv(100) == b"again"


def test_one_side_may_end_and_the_other_goes_on(port):
    """Half-close: the answer comes after the end of the question."""
    data = os.urandom(BIG)
    with _client(port) as client:
        client.sendall(b"hash\n" + data)
        client.shutdown(socket.SHUT_WR)
        assert _all_of(client).decode() == hashlib.sha256(data).hexdigest()


def test_the_servers_end_is_the_clients_end(port):
    with _client(port) as client:
        client.sendall(b"much\n")
        assert len(_all_of(client)) == BIG


def test_many_clients_at_once_get_their_own(port):
    """More than MaxSessions 10 of sshd, and as many as a browser with a dozen notebooks has."""
    clients = [_client(port) for _ in range(30)]
    for number, client in enumerate(clients):
        client.sendall(b"echo\n%d" % number)
    assert [client.recv(100) for client in clients] == [b"%d" % number for number in range(30)]
    for client in clients:
        client.close()
    _wait_until(lambda: port.connections == 0)


def test_a_client_that_does_not_read_holds_back_nobody_else(port):
    with _client(port) as idle, _client(port) as busy:
        idle.sendall(b"much\n")
        time.sleep(0.3)
        busy.sendall(b"much\n")
        assert len(_all_of(busy)) == BIG
        assert len(_all_of(idle)) == BIG


def test_a_client_that_leaves_in_the_middle_is_forgotten(port):
    client = _client(port)
    client.sendall(b"much\n")
    client.recv(1)
    client.close()
    _wait_until(lambda: port.connections == 0)


def test_closing_the_port_ends_its_connections(port):
    with _client(port) as client:
        client.sendall(b"echo\nhello")
        assert client.recv(100) == b"hello"
        port.close()
        assert client.recv(100) == b""
    with pytest.raises(ConnectionRefusedError):
        _client(port)


def test_a_socket_where_nobody_listens_is_refused(sshd, place, relay_to):
    transport = connect(sshd())
    with pytest.raises(StreamRefusedError):
        transport.open_stream(str(place / "nobody"))
    with pytest.raises(StreamRefusedError, match="nobody listens"):
        relay_to(transport, f"{place}/nobody").open_stream()
    assert transport.alive
    transport.close()


def test_an_sshd_that_forwards_to_no_sockets_refuses_and_the_relay_works(sshd, path, relay_to):
    transport = connect(sshd(AllowStreamLocalForwarding="no"))
    with pytest.raises(StreamRefusedError):
        transport.open_stream(path)
    stream = relay_to(transport, path).open_stream()
    stream.send(b"echo\nhello")
    assert stream.receive() == b"hello"
    transport.close()


def test_what_login_files_print_is_no_part_of_the_streams(path, relay_to):
    relay = relay_to(LocalTransport(), path, noise="echo 'Welcome, OACDFW!'; printf 'no line end'; ")
    stream = relay.open_stream()
    stream.send(b"echo\nhello")
    assert stream.receive() == b"hello"


def test_a_relay_that_does_not_start_says_why():
    with pytest.raises(UnreachableError, match="did not start") as caught:
        Relay(LocalTransport(), "echo no such python >&2; exit 127", "word")
    assert "no such python" in caught.value.diagnostic.detail


def test_a_lost_connection_wakes_everybody(sshd, path, relay_to):
    """Neither a client that waits nor one that sends hangs when the connection dies."""
    transport = connect(sshd())
    streams = [transport.open_stream(path), relay_to(transport, path).open_stream()]
    ended = []

    def wait_for_end(stream):
        try:
            ended.append(stream.receive())
        except UnreachableError as error:
            ended.append(error)

    waiting = [threading.Thread(target=wait_for_end, args=(stream,)) for stream in streams]
    for thread in waiting:
        thread.start()
    transport.close()
    for thread in waiting:
        thread.join(PATIENCE_S)
    assert [type(each) for each in ended] == [UnreachableError, UnreachableError]


def test_a_client_without_a_stream_is_told_why():
    def nothing():
        raise UnreachableError("gpu2 is down")

    port = LocalPort(nothing, _sorry, port=0)
    with _client(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert _all_of(client) == b"sorry: gpu2 is down"
    port.close()


def test_a_port_that_is_taken_is_not_shared():
    def nothing():
        raise UnreachableError("nobody")

    first = LocalPort(nothing, _sorry, port=0)
    second = LocalPort(nothing, _sorry, port=first.port)
    assert first.port < second.port <= first.port + 49
    first.close()
    second.close()


def test_no_free_port_is_an_error_of_the_user(monkeypatch):
    monkeypatch.setattr("scupi_provision.transport.forwarding._NEXT_PORTS", 1)
    with socket.create_server((ADDRESS, 0)) as taken, pytest.raises(InputError, match="--port"):
        LocalPort(lambda: None, _sorry, port=taken.getsockname()[1])


def test_nobody_but_this_computer_is_served(port):
    """Another address of this machine, loopback too, is not listened at."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port.port), timeout=PATIENCE_S).close()


def _wait_until(holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
