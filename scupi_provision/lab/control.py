"""Starts, finds, stops and removes the lab."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.daemon_process import running_daemon, start_daemon, stop_daemon
from scupi_provision.lab.inventory_file import lab_variables, write_inventory
from scupi_provision.lab.layout import ACCOUNT, LabLayout, lab_layout
from scupi_provision.lab.state import (
    DaemonState,
    Lab,
    LabStatus,
    Sources,
    read_sources,
)


def up(
    progress: Callable[[str], None] = lambda _: None,
    *,
    directory: Path | None = None,
    with_sources: bool = True,
) -> Lab:
    """Make the lab run and return it; a lab that runs already is reused.

    Args:
        progress: Told what happens, one short line at a time.
        directory: The lab's directory, when it is not the person's default one.
        with_sources: Whether the mirror must serve git and torch (the first time that downloads about 300 MB).

    Raises:
        ProvisionError: The lab cannot run here, or what the mirror must serve cannot be had.
        InputError: The directory cannot be used.
    """
    _require_platform()
    layout = lab_layout(directory)
    make_directory(layout)
    with exclusively(layout, progress):
        sources = _fill_mirror(layout, progress) if with_sources else read_sources(layout.sources)
        state = running_daemon(layout) or start_daemon(layout, progress)
        lab = _lab(layout, state, sources)
        write_inventory(layout, "127.0.0.1", state.admin_port, lab.variables)
    return lab


def down(*, directory: Path | None = None) -> bool:
    """Stop the lab and every process that its commands left running. False when none ran.

    Raises:
        ProvisionError: It does not stop.
    """
    layout = lab_layout(directory)
    if not layout.directory.is_dir():
        return False
    with exclusively(layout, lambda _: None):
        return stop_daemon(layout)


def status(*, directory: Path | None = None) -> LabStatus:
    """Whether the lab exists and runs."""
    layout = lab_layout(directory)
    state = running_daemon(layout) if layout.directory.is_dir() else None
    if state is None:
        return LabStatus(layout.directory, layout.directory.is_dir(), None)
    lab = _lab(layout, state, read_sources(layout.sources))
    return LabStatus(layout.directory, exists=True, lab=lab, pid=state.pid)


def reset(*, directory: Path | None = None) -> bool:
    """Stop the lab and remove it with its scratch home; the cache stays. False when there was none."""
    layout = lab_layout(directory)
    if not layout.directory.is_dir():
        return False
    refuse_foreign(layout)
    down(directory=directory)
    for folder, names, _ in os.walk(layout.directory):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)  # a read-only directory in the scratch home would not let its files go
    shutil.rmtree(layout.directory)
    return True


def _fill_mirror(layout: LabLayout, progress: Callable[[str], None]) -> Sources:
    from scupi_provision.lab.sources import fill_mirror  # noqa: PLC0415 - brings invoke and tarfile; only `up` needs them

    return fill_mirror(layout, progress)


def _require_platform() -> None:
    if os.name != "posix":
        raise ProvisionError("the embedded lab runs on Linux and macOS", hint="on Windows, run it inside WSL")
    if find_spec("asyncssh") is None:
        raise ProvisionError("the embedded lab needs asyncssh", hint="pip install '.[lab]' in the checkout")


def make_directory(layout: LabLayout) -> None:
    """Make the lab's directory, open to nobody else.

    Raises:
        ProvisionError: It cannot be made.
    """
    try:
        layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        layout.directory.chmod(0o700)
    except OSError as error:
        raise ProvisionError(
            f"the lab's directory {layout.directory} cannot be made",
            detail=error.strerror or str(error),
            hint="set PROVISION_LAB_DIR to a directory of yours",
        ) from error


def refuse_foreign(layout: LabLayout) -> None:
    """Never remove a directory that is not a lab, whatever PROVISION_LAB_DIR says."""
    if any(layout.directory.iterdir()) and not layout.up_lock.exists():
        raise ProvisionError(
            f"{layout.directory} is not a lab; it is left alone",
            hint="check PROVISION_LAB_DIR",
        )


@contextlib.contextmanager
def exclusively(layout: LabLayout, progress: Callable[[str], None]) -> Iterator[None]:
    """Only one process at a time starts or stops a lab; the others wait."""
    import fcntl  # noqa: PLC0415 - this module must be importable on Windows

    descriptor = os.open(layout.up_lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            progress("waiting for another process that starts or stops this lab")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lab(layout: LabLayout, state: DaemonState, sources: Sources | None) -> Lab:
    return Lab(
        directory=layout.directory,
        home=layout.home,
        admin_port=state.admin_port,
        mirror_port=state.mirror_port,
        user=ACCOUNT,
        key_file=layout.client_key,
        known_hosts=layout.known_hosts,
        inventory=layout.inventory,
        log=layout.log,
        stand_ins=_stand_ins(sources),
        variables=lab_variables(layout.known_hosts, f"http://127.0.0.1:{state.mirror_port}", sources),
    )


def _stand_ins(sources: Sources | None) -> tuple[str, ...]:
    lines = ["admin1 and gpu2 are two SSH servers on this machine, with one scratch home"]
    if sources:
        lines += _origins(sources)
    lines.append(_gpu_stand_in())
    return tuple(lines)


def _origins(sources: Sources) -> list[str]:
    """Where everything comes from that upstream would have; and what cannot be had."""
    lines = [f"{origin}, served on loopback" for origin in (sources.git_origin, sources.torch_origin)]
    for origin, version in (
        (sources.python_origin, sources.python_version),
        (sources.conda_origin, sources.conda_version),
    ):
        lines.append(f"{origin}, served on loopback" if version else origin)
    return lines


def _gpu_stand_in() -> str:
    if not shutil.which("nvidia-smi"):
        return "no GPU in the lab: GPU checks run torch on the CPU"
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=30, check=False)
    if listing.returncode != 0:
        return "no GPU in the lab: GPU checks run torch on the CPU"
    return "the lab's torch is the CPU build: GPU checks run on the CPU, though this machine has a GPU"
