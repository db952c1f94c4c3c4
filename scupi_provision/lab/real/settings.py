"""What can differ from lab to lab: the account's shell, what sshd allows, how old it pretends to be."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from scupi_provision.errors import InputError

LOGIN_SHELLS = ("bash", "dash", "busybox", "mksh")
ALGORITHMS = ("current", "7.4")

_OF_OPENSSH_7_4 = {
    "KexAlgorithms": "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,"
    "diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,diffie-hellman-group14-sha1",
    "Ciphers": "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"
    "aes256-gcm@openssh.com",
    "MACs": "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
    "hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,"
    "hmac-sha2-256,hmac-sha2-512,hmac-sha1",
    "HostKeyAlgorithms": "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-ed25519,rsa-sha2-512,"
    "rsa-sha2-256,ssh-rsa",
}
"""What a server of OpenSSH 7.4 (CentOS 7) offers, from its myproposal.h; certificates are left out."""


@dataclass(frozen=True)
class LabSettings:
    """How the nodes of a real lab are set up.

    Attributes:
        login_shell: One of LOGIN_SHELLS; both nodes give it to the account.
        forwarding: Whether admin1 forwards TCP; without it a client cannot go on to gpu2 by itself.
        algorithms: "7.4" restricts both servers to what OpenSSH 7.4 offers.
        slurm: Whether gpu2 is given out by Slurm, and its server lets in only those who have a job on it.
    """

    login_shell: str = "bash"
    forwarding: bool = True
    algorithms: str = "current"
    slurm: bool = False

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.login_shell, LOGIN_SHELLS, "login shell"),
            (self.algorithms, ALGORITHMS, "set of algorithms"),
        ):
            if value not in known:
                raise InputError(f"the lab has no {what} {value!r}", hint=f"it has {', '.join(known)}")
        if shutil.which(self.login_shell) is None:
            raise InputError(f"this machine has no {self.login_shell}, so it cannot be the account's shell")


def read_settings(path: Path) -> LabSettings | None:
    """What `write_settings` wrote, or None when there is nothing that can be read."""
    try:
        return LabSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def settings_text(settings: LabSettings) -> str:
    """The settings as `read_settings` wants them."""
    return json.dumps(asdict(settings)) + "\n"


def sshd_config(settings: LabSettings, account: str, host_key: str, *, asks_pam: bool = False) -> str:
    """The configuration of one node's server: keys only, one account, the ways of a cluster's login node.

    Args:
        settings: The lab's.
        account: The only user who may log in.
        host_key: The path of the private host key, as the node sees it.
        asks_pam: Whether PAM decides who may log in (Slurm's module does).
    """
    lines = {
        "Port": "22",
        "HostKey": host_key,
        "AllowUsers": account,
        "PermitRootLogin": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "yes" if asks_pam else "no",
        "AllowTcpForwarding": "yes" if settings.forwarding else "no",
        "X11Forwarding": "no",
        "UseDNS": "no",
        "PrintMotd": "no",
        "PrintLastLog": "no",
        "AcceptEnv": "LANG LC_*",
        "Subsystem": "sftp internal-sftp",
        "LogLevel": "VERBOSE",
        "PidFile": "none",
    }
    if settings.algorithms == "7.4":
        lines |= _OF_OPENSSH_7_4
    return "".join(f"{name} {value}\n" for name, value in lines.items())
