"""The wires: controller — admin1 — gpu2, each a veth pair, and nothing else. gpu2 has no route beyond admin1."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from scupi_provision.errors import ProvisionError

_LINK = "plab"
"""Interfaces of the controller are called plab1, plab2, …: one for each lab that is up."""

_NET = "198.19"
"""Half of 198.18.0.0/15, which RFC 2544 sets aside for tests of network devices: no real host has such an address."""

_MOST_LABS = 254
_CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


@dataclass(frozen=True)
class Wiring:
    """The addresses of lab `number`: one /30 for each wire."""

    number: int

    @property
    def link(self) -> str:
        """The controller's interface."""
        return f"{_LINK}{self.number}"

    @property
    def controller(self) -> str:
        """The controller's address on its wire to admin1."""
        return f"{_NET}.{self.number}.1"

    @property
    def admin(self) -> str:
        """admin1's address on the controller's side: what a person dials."""
        return f"{_NET}.{self.number}.2"

    @property
    def admin_inside(self) -> str:
        """admin1's address on gpu2's side."""
        return f"{_NET}.{self.number}.5"

    @property
    def gpu(self) -> str:
        """gpu2's only address."""
        return f"{_NET}.{self.number}.6"


def wire(admin_pid: int, gpu_pid: int) -> Wiring:
    """Connect the controller's network, admin1's and gpu2's; the nodes are known by one process in each.

    The wires end when the last process of admin1 does: a veth pair goes with either of its ends.

    Raises:
        ProvisionError: The kernel makes no such wires, or all numbers are taken.
    """
    wiring = _claim(admin_pid)
    _configure(f"address add {wiring.controller}/30 dev {wiring.link}", f"link set {wiring.link} up")
    _configure(
        f"link add eth1 type veth peer name eth0 netns {gpu_pid}",
        f"address add {wiring.admin}/30 dev eth0",
        f"address add {wiring.admin_inside}/30 dev eth1",
        *(f"link set {name} up" for name in ("lo", "eth0", "eth1")),
        inside=admin_pid,
    )
    _configure(f"address add {wiring.gpu}/30 dev eth0", "link set lo up", "link set eth0 up", inside=gpu_pid)
    return wiring


def in_network_of(pid: int, work: Callable[[], Result]) -> Result:
    """Call `work` in the network of a node. A socket made there stays there, whichever thread uses it afterwards."""
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def enter() -> None:
        try:
            _enter_network(pid)
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - carried to the calling thread, whose error it is
            failure.append(error)

    # The namespace belongs to the thread; one that is not used for anything else needs no way back.
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _enter_network(pid: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if library.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)


def _claim(admin_pid: int) -> Wiring:
    """The first number whose interface can be made: the kernel gives a name once, so two labs never share one."""
    for number in range(1, _MOST_LABS + 1):
        wiring = Wiring(number)
        done = _ip(f"link add {wiring.link} type veth peer name eth0 netns {admin_pid}")
        if done.returncode == 0:
            return wiring
        if "File exists" not in done.stderr:
            raise _refused(done.stderr)
    raise ProvisionError(f"{_MOST_LABS} real labs are up already", hint="stop some: `provision lab down --real`")


def _configure(*commands: str, inside: int | None = None) -> None:
    done = _ip(*commands, inside=inside)
    if done.returncode != 0:
        raise _refused(done.stderr)


def _ip(*commands: str, inside: int | None = None) -> subprocess.CompletedProcess[str]:
    enter = [] if inside is None else ["nsenter", "--net", f"--target={inside}"]
    lines = "\n".join(commands) + "\n"
    return subprocess.run([*enter, "ip", "-batch", "-"], input=lines, capture_output=True, text=True, check=False)


def _refused(said: str) -> ProvisionError:
    return ProvisionError(
        "the kernel does not make the lab's network",
        detail=said.strip(),
        hint="in a container, give it CAP_NET_ADMIN (docker run --privileged)",
    )
