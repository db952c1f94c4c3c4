"""Who gets in, and by which way."""

import asyncio
import sys
from pathlib import Path

import asyncssh
import pytest
from scupi_provision.lab.control import status

pytestmark = pytest.mark.lab


def listening_ports(pid):
    """TCP ports on which process `pid` listens (Linux)."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads the socket table of Linux")
def test_gpu2_has_no_port_of_its_own(lab):
    """Nothing but admin1 and the mirror listens, so the only way to gpu2 is through admin1."""
    pid = status(directory=lab.directory).pid
    assert listening_ports(pid) == {lab.admin_port, lab.mirror_port}


def test_gpu2_is_reached_through_admin1(lab, run):
    assert run(lab, "hostname", "gpu2").stdout == b"gpu2\n"


@pytest.mark.parametrize("target", [("127.0.0.1", 22), ("gpu2", 2222), ("admin1", 22), ("localhost", 80)])
def test_admin1_forwards_nowhere_else(lab, target, connected):
    async def session():
        async with connected(lab) as connection:
            with pytest.raises(asyncssh.ChannelOpenError) as refused:
                await connection.open_connection(*target)
            return refused.value.code

    assert asyncio.run(session()) == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED


def test_gpu2_forwards_nowhere(lab, connected):
    async def session():
        async with connected(lab, "gpu2") as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("gpu2", 22)

    asyncio.run(session())


def test_the_two_nodes_have_different_host_keys(lab):
    first, second = lab.known_hosts.read_text().splitlines()
    assert first.split()[0] == f"[127.0.0.1]:{lab.admin_port}"
    assert second.split()[0] == "gpu2"
    assert first.split()[2] != second.split()[2]


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_paramiko_finds_each_node_in_known_hosts(lab, host):
    """The library behind our transport, with strict host keys, through the jump."""
    paramiko = pytest.importorskip("paramiko")
    clients = []
    channel = None
    names = ["admin1"] if host == "admin1" else ["admin1", "gpu2"]
    try:
        for name in names:
            address = ("127.0.0.1", lab.admin_port) if name == "admin1" else ("gpu2", 22)
            if clients:
                channel = clients[-1].get_transport().open_channel("direct-tcpip", address, ("127.0.0.1", 0))
            client = paramiko.SSHClient()
            clients.append(client)
            client.load_host_keys(str(lab.known_hosts))
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                *address,
                username=lab.user,
                key_filename=str(lab.key_file),
                sock=channel,
                allow_agent=False,
                look_for_keys=False,
            )
        _, stdout, _ = clients[-1].exec_command("hostname")
        assert stdout.read() == f"{host}\n".encode()
    finally:
        for client in reversed(clients):
            client.close()


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_files_go_in_and_out_by_sftp(lab, connected, text, host):
    """Those of the home, and nothing above it."""

    async def copy() -> list[str]:
        async with connected(lab, host) as node, node.start_sftp_client() as client:
            async with client.open("by-sftp", "w") as file:
                await file.write("here\n")
            return [str(name) for name in await client.listdir("/..")]

    assert "by-sftp" in asyncio.run(copy())
    assert text(lab, "cat by-sftp; rm by-sftp", host) == "here\n"


async def _login(lab, **changes):
    options = {
        "username": lab.user,
        "client_keys": [str(lab.key_file)],
        "known_hosts": None,
        "agent_path": None,
        "config": None,
    }
    async with asyncssh.connect("127.0.0.1", lab.admin_port, **(options | changes)):
        pass


def test_another_key_is_refused(lab):
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(_login(lab, client_keys=[asyncssh.generate_private_key("ssh-ed25519")]))


def test_another_user_is_refused(lab):
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(_login(lab, username="root"))


def test_passwords_are_not_asked(lab):
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(_login(lab, client_keys=None, password="x"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens where in /proc")
def test_admin1_listens_on_loopback_only(lab):
    """So says the kernel."""
    listening = [
        fields[1]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == lab.admin_port
    ]
    assert listening == [f"0100007F:{lab.admin_port:04X}"]
