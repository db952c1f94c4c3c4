"""Starts, finds, stops and removes the real lab."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.control import exclusively, make_directory, refuse_foreign
from scupi_provision.lab.daemon_process import daemon_lives, end_daemon
from scupi_provision.lab.inventory_file import lab_variables, write_inventory
from scupi_provision.lab.layout import ACCOUNT, NODES, LabLayout
from scupi_provision.lab.real.entry import make_entry
from scupi_provision.lab.real.network import Wiring
from scupi_provision.lab.real.settings import LabSettings, read_settings, settings_text
from scupi_provision.lab.real.slurm import check_slurm
from scupi_provision.lab.real.state import (
    ACCOUNT_HOME,
    RealLab,
    RealState,
    RealStatus,
    node_directory,
    read_real_state,
    real_layout,
    settings_file,
)
from scupi_provision.lab.state import Sources, read_sources, write_atomically

_SSH_PORT = 22
_START_TIMEOUT_S = 60.0
_POLL_S = 0.03
_LAST_WORD = " down"
"""With which a daemon's log ends, whatever ended it."""

_PROGRAMS = {
    "sshd": "openssh-server",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
"""What the lab starts, and Debian's packages that bring it."""


def up(
    progress: Callable[[str], None] = lambda _: None,
    *,
    directory: Path | None = None,
    settings: LabSettings | None = None,
    with_sources: bool = True,
) -> RealLab:
    """Make the lab run and return it; one that runs already is reused, unless other settings are wanted.

    Args:
        progress: Told what happens, one short line at a time.
        directory: The lab's directory, when it is not the default one.
        settings: How the nodes are to be; None leaves them as they are.
        with_sources: Whether the mirror must serve what the roles install.

    Raises:
        ProvisionError: The lab cannot run here, or what the mirror must serve cannot be had.
        InputError: The directory cannot be used.
    """
    require_root()
    layout = real_layout(directory)
    make_directory(layout)
    with exclusively(layout, progress):
        sources = _fill_mirror(layout, progress) if with_sources else read_sources(layout.sources)
        if settings and settings.slurm:
            check_slurm()
        state = _running(layout)
        last = read_settings(settings_file(layout)) or LabSettings()
        if state and settings not in {None, last}:
            end_daemon(layout, state.pid)
            state = None
        if state is None:
            state = _start(layout, settings or last, progress)
        lab = _lab(layout, state, sources)
        write_inventory(layout, lab.admin_address, lab.admin_port, lab.variables)
    return lab


def down(*, directory: Path | None = None) -> bool:
    """Switch the nodes off, with everything that runs on them; the home is kept. False when none ran.

    Raises:
        ProvisionError: They do not end.
    """
    layout = real_layout(directory)
    if not layout.directory.is_dir():
        return False
    with exclusively(layout, lambda _: None):
        state = read_real_state(layout)
        return end_daemon(layout, state.pid if state else None)


def status(*, directory: Path | None = None) -> RealStatus:
    """Whether the lab exists and runs."""
    layout = real_layout(directory)
    state = _running(layout) if layout.directory.is_dir() else None
    lab = _lab(layout, state, read_sources(layout.sources)) if state else None
    return RealStatus(layout.directory, layout.directory.is_dir(), lab)


def reset(*, directory: Path | None = None) -> bool:
    """Switch the nodes off and remove the lab with its home; downloads are kept. False when there was none."""
    layout = real_layout(directory)
    if not layout.directory.is_dir():
        return False
    refuse_foreign(layout)
    down(directory=directory)
    shutil.rmtree(layout.directory)
    return True


def require_root() -> None:
    """Refuse where the lab cannot run.

    Raises:
        ProvisionError: Says what is missing.
    """
    if sys.platform != "linux":
        raise ProvisionError("the real lab is made of Linux namespaces", hint="use the embedded one: leave out --real")
    if os.geteuid() != 0:
        raise ProvisionError(
            "the real lab needs root: it makes network namespaces, mounts and an account",
            hint="run it with sudo, or use the embedded lab: leave out --real",
        )
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [name for name in _PROGRAMS if shutil.which(name, path=search) is None]
    if missing:
        packages = " ".join(dict.fromkeys(_PROGRAMS[name] for name in missing))
        raise ProvisionError(
            f"the real lab needs {', '.join(missing)}", hint=f"apt-get install {packages} (or your system's packages)"
        )


def _start(layout: LabLayout, settings: LabSettings, progress: Callable[[str], None]) -> RealState:
    progress("switching on admin1 and gpu2")
    end_daemon(layout, None)
    make_entry(layout)
    write_atomically(settings_file(layout), settings_text(settings))
    layout.state.unlink(missing_ok=True)
    nonce = secrets.token_hex(8)
    with layout.log.open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "scupi_provision.lab.real.daemon", str(layout.directory), "--nonce", nonce],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            check=False,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        state = _running(layout)
        if state and state.nonce == nonce:
            return state
        if _log(layout).endswith(_LAST_WORD):
            break
        time.sleep(_POLL_S)
    last_lines = "\n".join(_log(layout).splitlines()[-10:])
    raise ProvisionError("the real lab did not start", detail=last_lines, hint=f"see {layout.log}")


def _log(layout: LabLayout) -> str:
    return layout.log.read_text(encoding="utf-8", errors="replace").rstrip()


def _running(layout: LabLayout) -> RealState | None:
    """What the daemon says, if it lives: the kernel ends the nodes with it, so a lab that was killed leaves no more."""
    return read_real_state(layout) if daemon_lives(layout) else None


def _lab(layout: LabLayout, state: RealState, sources: Sources | None) -> RealLab:
    return RealLab(
        directory=layout.directory,
        home=layout.home,
        account_home=ACCOUNT_HOME,
        user=ACCOUNT,
        admin_address=Wiring(state.number).admin,
        admin_port=_SSH_PORT,
        key_file=layout.client_key,
        known_hosts=layout.known_hosts,
        inventory=layout.inventory,
        logs={node: node_directory(layout, node) / "log" for node in NODES},
        pid=state.pid,
        nodes=state.nodes,
        stand_ins=_stand_ins(sources, read_settings(settings_file(layout)) or LabSettings()),
        variables=lab_variables(layout.known_hosts, f"http://127.0.0.1:{state.mirror_port}", sources),
    )


def _stand_ins(sources: Sources | None, settings: LabSettings) -> tuple[str, ...]:
    origins = [value for name, value in asdict(sources).items() if name.endswith("_origin")] if sources else []
    return (
        "admin1 and gpu2 are two sets of namespaces of this machine, with its programs and one scratch home",
        *(f"{origin}, served on admin1's loopback" for origin in origins if origin),
        "no GPU in the lab: GPU checks run torch on the CPU",
        *(("the GPU that Slurm hands out is /dev/null",) if settings.slurm else ()),
    )


def _fill_mirror(layout: LabLayout, progress: Callable[[str], None]) -> Sources:
    from scupi_provision.lab.sources import fill_mirror  # noqa: PLC0415 - brings invoke and tarfile; only `up` needs them

    return fill_mirror(layout, progress, closed=True)  # there is no way from admin1 to the channels of upstream
