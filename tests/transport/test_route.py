"""What can be dialled: names that could mean anything else never get as far as a connection."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.route import check_route, described, is_ip_address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "-oProxyCommand=touch x",
        "`touch x`",
        "a;b",
        "$(reboot)",
        "a b",
        "a\nb",
        "a\x00b",
        "a\x1b[2J",
        "user@host",
        "host:22",
        "[::1]",
        "a/b",
        "a'b",
        "1.2.3.4%eth0",
        "fe80::1%;reboot",
        "x\u202e",
    ],
)
def test_an_address_that_is_not_a_host_name_is_refused(address):
    with pytest.raises(InputError) as caught:
        check_route((Hop("admin1", address),))
    assert caught.value.diagnostic.summary.isprintable()


@pytest.mark.parametrize(
    "address", ["admin1", "a-b.example.edu", "node_3", "10.0.0.1", "::1", "fe80::1%eth0", "高性能.cn"]
)
def test_host_names_and_addresses_are_accepted(address):
    check_route((Hop("admin1", address),))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(InputError, match="not a TCP port"):
        check_route((Hop("admin1", "admin1", port=port),))


@pytest.mark.parametrize("user", ["-l", "a b", "a\nb"])
def test_a_user_that_is_not_a_login_name_is_refused(user):
    with pytest.raises(InputError, match="not a login name"):
        check_route((Hop("admin1", "admin1", user=user),))


def test_every_hop_is_checked_and_one_is_needed():
    with pytest.raises(InputError, match="gpu2"):
        check_route((Hop("admin1", "admin1"), Hop("gpu2", "-x")))
    with pytest.raises(InputError):
        check_route(())


def test_a_hop_is_described_by_name_and_by_where_it_is_dialled():
    assert described(Hop("admin1", "admin1")) == "admin1"
    assert described(Hop("admin1", "::1", port=7092)) == "admin1 ([::1]:7092)"
    assert described(Hop("evil\x1b[2J", "admin1")) == r"'evil\x1b[2J' (admin1)"
    assert is_ip_address("127.0.0.1")
    assert not is_ip_address("admin1")
