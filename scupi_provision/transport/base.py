"""What a transport is: it opens a shell on a host and carries bytes both ways. It knows nothing of plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from scupi_provision.errors import AuthenticationError
from scupi_provision.values import Secret

Reach = Literal["auto", "jump", "nested", "slurm"]
"""How a host behind another one is reached: an SSH session of our own through it, `ssh` run there, or a job there.

"auto" takes the first that the hop before allows, in this order.
"""


Way = Literal["jump", "nested", "slurm"]
"""How an open transport came to its host; what is not behind another host counts as "jump"."""

Tell = Callable[[str], None]
"""Told, one line at a time, what is waited for while a way is opened: every few seconds. Raises to give it up."""


def untold(_line: str) -> None:
    """A Tell for where nobody watches."""


@dataclass(frozen=True)
class JobWish:
    """What the job has to be like in which a shell runs, where a host lets nobody in without one.

    Attributes:
        options: Of salloc and sbatch, such as `--partition=gpu`.
        time: The job's limit, as Slurm writes it (minutes, or `HH:MM:SS`).
        wait_s: How long the job may wait in the queue.
        starter: How it is asked for: "srun", at once and without a script; or by "sbatch", where only that is allowed.
    """

    options: tuple[str, ...] = ()
    time: str = "60"
    wait_s: float = 600.0
    starter: Literal["srun", "sbatch"] = "srun"


@dataclass(frozen=True)
class Hop:
    """One SSH login on the way to a host.

    Attributes:
        name: The inventory's name for it, used in messages.
        address: Name or address as dialled from the hop before (or from the controller).
        port: TCP port, 1..65535.
        user: Login name.
        key_files: Private keys, tried in order, loaded explicitly.
        known_hosts: Files with OpenSSH's meaning, read in order; a missing file is as an empty one.
        host_keys: Pinned keys from the inventory (`ssh-ed25519 AAAA…` or `SHA256:…`); when not empty, only these are
            accepted, and of `known_hosts` only `@revoked` lines still count.
        use_agent: Whether keys of a running ssh-agent may be tried (never forwarded).
        password: For keyboard-interactive or password logins, or the key's passphrase.
        connect_timeout_s: For TCP and for the banner, each.
        reach: How it is reached from the hop before; of no meaning for the first.
        job: The job that is asked for where there must be one.
        new_keys: The file into which a host key goes that a person has just trusted; None when nobody is asked.
        login_timeout_s: How long the account's login files may take (`provision_login_timeout`).
    """

    name: str
    address: str
    port: int = 22
    user: str = ""
    key_files: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    host_keys: tuple[str, ...] = ()
    use_agent: bool = False
    password: Secret | None = None
    connect_timeout_s: float = 15.0
    reach: Reach = "auto"
    job: JobWish = field(default_factory=JobWish)
    new_keys: Path | None = None
    login_timeout_s: float = 9.0


class Person(Protocol):
    """Somebody who can be asked while a way to a host is made. Several threads may ask; one question at a time."""

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """MUST return the answer to what `hop` (or a key for it) wants to know, or raise AuthenticationError."""

    def trusts(self, hop: Hop, offered: str) -> bool:
        """MUST say whether `offered` (fingerprint and type) is the key of `hop`, which nothing is known about yet."""


class Nobody:
    """For runs that nobody watches: knows no secret, trusts no stranger."""

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:  # noqa: ARG002 - the protocol's signature
        """Refuse."""
        raise AuthenticationError(
            f"{hop.name} asks for something that only you know, and there is nobody to ask",
            detail=f"it says: {question!a}",
            hint="run this command in a terminal",
        )

    def trusts(self, hop: Hop, offered: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """Nobody is trusted."""
        return False


Route = tuple[Hop, ...]
"""How to get to a host: the hops in the order in which they are dialled; the last one is the host itself."""


class Channel(Protocol):
    """A running remote shell: bytes in, bytes out (stdout only; stderr is kept aside for error messages)."""

    def send(self, data: bytes) -> None:
        """MUST write everything or raise UnreachableError."""

    def receive(self, timeout_s: float) -> bytes | None:
        """MUST return at least one byte, b"" at end of stream, or None when `timeout_s` passed without any."""

    def stderr_tail(self) -> str:
        """SHOULD return the last lines the remote side wrote to stderr (untrusted text)."""

    def close(self) -> None:
        """MUST end the remote shell's stdin; idempotent, never raises."""


@runtime_checkable
class Ending(Protocol):
    """A channel that can tell how its shell ended, and end it."""

    @property
    def exit_status(self) -> int | None:
        """MUST be the exit status once the shell has ended; None before, and when a signal ended it."""

    def kill(self) -> None:
        """SHOULD end what runs there at once, also an endless loop; never raises."""


class Transport(Protocol):
    """An open way to one host."""

    def open_shell(self, command: str) -> Channel:
        """MUST start `command` by the account's login shell (or directly, when local) and return at once.

        At most one round trip: opening the channel; the exec request is sent without waiting for its reply.
        """

    @property
    def way(self) -> Way:
        """MUST say how the last hop is reached."""

    @property
    def explanation(self) -> str:
        """MUST say in a sentence what a person should know of a way that is not the usual one, "" of a jump."""

    @property
    def alive(self) -> bool:
        """MUST be False once a heartbeat went unanswered on any hop for 15 s."""

    def close(self) -> None:
        """MUST close every hop; idempotent, never raises."""
