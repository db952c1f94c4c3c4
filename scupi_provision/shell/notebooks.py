"""Programs about Jupyter servers on a host; `run/notebook` understands the facts in which they answer."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from scupi_provision.shell.program import shell_source
from scupi_provision.shell.words import word, words
from scupi_provision.values import Secret

_SOURCE = "jupyter.sh"


def look(environment: str) -> str:
    """Asks which environments there are, and what the one called (or at) `environment` has."""
    return _program("p_jupyter_look", environment)


def state(key: str) -> str:
    """Asks how one server is."""
    return _program("p_jupyter_state", key)


def listing(prefix: str) -> str:
    """Asks how all servers are whose key begins with `prefix`."""
    return _program("p_jupyter_list", prefix)


def start(key: str, environment: str, token: Secret, kernel: str) -> str:
    """Starts a server, unless one of this key runs.

    Args:
        key: Names the job; letters, digits, dots and dashes.
        environment: The path of the Python environment.
        token: What a client must know; it travels in the program, on standard input.
        kernel: The text of the kernel's `kernel.json`.
    """
    return _program("p_jupyter_start", key, environment, token.reveal(), kernel, relay_program())


def stop(key: str) -> str:
    """Ends a server and its kernels, and removes what it has left."""
    return _program("p_jupyter_stop", key)


@lru_cache
def relay_program() -> str:
    """The Python program that connects streams to a socket where sshd does not (`relay.py`)."""
    return resources.files(__package__).joinpath("relay.py").read_text(encoding="utf-8")


def relay_command(environment: str, place: str, nonce: str) -> str:
    """The command that starts the relay of a server in `place`; it says `nonce` when what follows is its own.

    For whatever login shell: one simple command without substitutions.
    """
    return f"exec {words(f'{environment}/bin/python', '-I', f'{place}/relay.py', f'{place}/s', nonce)}"


def _program(function: str, *arguments: str) -> str:
    return f"{shell_source(_SOURCE)}{function} {' '.join(map(word, arguments))}\n"
