"""What we use of paramiko and Fabric below their documented surface. A release that moves it fails here, by name."""

import inspect

import fabric
import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.packet import Packetizer
from scupi_provision.transport.hop_transport import DISABLED_ALGORITHMS


def test_the_methods_that_we_override_or_call_are_there():
    for owner, name, parameters in [
        (paramiko.Transport, "_send_user_message", ["self", "data"]),
        (paramiko.Transport, "_parse_channel_open_failure", ["self", "m"]),
        (paramiko.Transport, "_really_parse_kex_init", ["self", "m", "ignore_first_byte"]),
        (Packetizer, "read_message", ["self"]),
        (AuthHandler, "_request_auth", ["self"]),
        (AuthHandler, "_parse_service_accept", ["self", "m"]),
    ]:
        assert list(inspect.signature(getattr(owner, name)).parameters) == parameters, name


def test_a_channel_says_what_we_ask_it():
    channel = paramiko.Channel(1)
    assert (channel.eof_received, channel.event_ready, channel.exit_status) == (False, False, -1)


def test_a_channel_of_any_kind_may_be_asked_for():
    """`open_stream` adds the socket's path to a request that paramiko would send without one."""
    parameters = inspect.signature(paramiko.Transport.open_channel).parameters
    assert {"kind", "window_size", "timeout"} <= set(parameters)
    assert "self._send_user_message(" in inspect.getsource(paramiko.Transport.open_channel)


def test_no_weak_algorithm_is_left():
    left = {
        name
        for kind in ("macs", "ciphers", "keys", "pubkeys", "kex")
        for name in getattr(paramiko.Transport, f"_preferred_{kind}")
        if name not in DISABLED_ALGORITHMS[kind]
    }
    assert not [name for name in left if name.endswith(("sha1", "cbc", "-96", "md5")) or name in ("ssh-rsa", "ssh-dss")]


def test_fabric_passes_our_login_and_host_key_policy_on():
    assert "auth_strategy" in inspect.signature(paramiko.SSHClient.connect).parameters
    assert "transport_factory" in inspect.signature(paramiko.SSHClient.connect).parameters
    config = fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig())
    assert config.authentication.strategy_class is None
    assert fabric.Connection("h", config=config, gateway=False).gateway is False
