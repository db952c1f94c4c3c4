"""Ways into a real lab, opened by a test itself."""

from __future__ import annotations

import pytest
from scupi_provision.errors import UnreachableError
from scupi_provision.lab.real.network import in_network_of
from scupi_provision.transport.base import Hop
from scupi_provision.transport.ssh import connect


class Entrance:
    """The ways to gpu2, dialled on admin1's own loopback: tests themselves may talk to no other."""

    def __init__(self, lab):
        self._lab = lab
        self.known_hosts = lab.directory / "known_on_admin1"
        self.known_hosts.write_text(lab.known_hosts.read_text().replace(f"{lab.admin_address} ", "127.0.0.1 "))

    def open(self, person=None, tell=print, further=None, **changes):
        """The open way, with changes of gpu2's hop; `further` is the name and address of a host behind gpu2."""
        lab = self._lab
        how = {"user": lab.user, "key_files": (lab.key_file,), "known_hosts": (self.known_hosts,)}
        admin = Hop("admin1", "127.0.0.1", lab.admin_port, **how)
        gpu = Hop(**{"name": "gpu2", "address": "gpu2", **how, **changes})
        route = (admin, gpu, Hop(*further, **how)) if further else (admin, gpu)
        return in_network_of(lab.nodes["admin1"], lambda: connect(route, person=person, tell=tell))

    def refusal(self, error_class=UnreachableError, **changes):
        """What a person is told when it does not open."""
        with pytest.raises(error_class) as caught:
            self.open(**changes).close()
        return caught.value.diagnostic


def output_of(transport, command):
    """All that a command prints."""
    channel = transport.open_shell(command)
    output = b""
    while data := channel.receive(10):
        output += data
    channel.close()
    return output.decode()
