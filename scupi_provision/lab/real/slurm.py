"""Slurm on the nodes of a real lab: slurmctld on admin1, slurmd on gpu2, and gpu2 lets in only those with a job.

The daemons, munge and pam_slurm_adopt are the distribution's own. Processes are tracked by their parents
(proctrack/linuxproc), because cgroups would be those of this machine: slurmctld says on its start that adopting a login
wants cgroups, and that is so; refusing one does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from scupi_provision.errors import InputError
from scupi_provision.lab.layout import ADMIN, GPU
from scupi_provision.lab.real.node_root import OwnedFile

PROGRAMS = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "srun": "slurm-client",
}
"""What a lab with Slurm starts besides, and Debian's packages that bring it."""

_MODULE = "pam_slurm_adopt.so"
_MODULE_PACKAGE = "libpam-slurm-adopt"
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

_SLURM_CONF = """\
ClusterName=lab
SlurmctldHost={admin}
AuthType=auth/munge
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurmctld.log
SlurmdLogFile=/var/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
PrologFlags=Contain
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
NodeName={gpu} CPUs=2 Gres=gpu:1 State=UNKNOWN
PartitionName=gpu Nodes={gpu} Default=YES MaxTime=60 State=UP
"""

_GRES_CONF = f"NodeName={GPU} Name=gpu File=/dev/null\n"
"""A device file is all that Slurm wants of a GPU."""

_PAM_SSHD = """\
auth     required pam_deny.so
password required pam_deny.so
account  required {module}
session  required pam_permit.so
"""


def check_slurm() -> None:
    """Refuse where Slurm is not installed.

    Raises:
        InputError: Says what is missing.
    """
    missing = [PROGRAMS[name] for name in PROGRAMS if shutil.which(name, path=_SYSTEM_PATH) is None]
    missing += [] if _module() else [_MODULE_PACKAGE]
    if missing:
        raise InputError(
            f"this machine lacks what the lab's Slurm is made of: {', '.join(missing)}",
            hint=f"apt-get install {' '.join(missing)} (their services need not run on this machine)",
        )


def slurm_files(node: str, munge_key: str) -> tuple[OwnedFile, ...]:
    """What a node gets for Slurm, besides the machine's programs."""
    return tuple(_files(node, munge_key))


def slurm_daemons(node: str) -> tuple[tuple[str, ...], ...]:
    """What a node starts before its sshd; each goes to the background by itself."""
    munged = ("setpriv", "--reuid=munge", "--regid=munge", "--clear-groups", "munged")
    return (munged, ("slurmctld",) if node == ADMIN else ("slurmd",))


def slurm_accounts() -> str:
    """Lines of /etc/passwd: Debian's account for Slurm has a number that is none of a system account."""
    lines = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("slurm:"))


def _files(node: str, munge_key: str) -> Iterator[OwnedFile]:
    for folder in ("/run/munge", "/var/lib/munge", "/var/log/munge", "/etc/munge"):
        yield OwnedFile(folder, None, "munge", 0o755)
    yield OwnedFile("/etc/munge/munge.key", munge_key, "munge", 0o600)
    yield OwnedFile("/etc/slurm", None, "root", 0o755)
    yield OwnedFile("/etc/slurm/slurm.conf", _SLURM_CONF.format(admin=ADMIN, gpu=GPU), "root", 0o644)
    yield OwnedFile("/var/lib/slurm", None, "slurm", 0o700)
    yield OwnedFile("/var/log/slurmctld.log", "", "slurm", 0o600)
    if node == GPU:
        yield OwnedFile("/etc/slurm/gres.conf", _GRES_CONF, "root", 0o644)
        yield OwnedFile("/var/spool/slurmd", None, "root", 0o755)
        yield OwnedFile("/etc/pam.d", None, "root", 0o755)
        yield OwnedFile("/etc/pam.d/sshd", _PAM_SSHD.format(module=_module()), "root", 0o644)


def _module() -> Path | None:
    """By its whole path: Debian has it in another folder than PAM looks into."""
    folders = [folder for pattern in ("lib*/security", "usr/lib*/security") for folder in Path("/").glob(pattern)]
    folders += [*Path("/lib").glob("*/security"), *Path("/usr/lib").glob("*/security")]
    return next((folder / _MODULE for folder in folders if (folder / _MODULE).exists()), None)
