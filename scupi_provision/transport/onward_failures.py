"""Saying why the system's ssh on a gateway does not come to the next host: its words in, one clear error out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scupi_provision.errors import AuthenticationError, HostKeyError, UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import job_needed
from scupi_provision.transport.route import described, printable

# The words are OpenSSH's own (ssh.c, sshconnect.c, sshconnect2.c, packet.c and the C library's), 7.4 to 9.9.
_HOST_KEY = re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known for")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_NOT_LET_IN = re.compile(r"Permission denied|Too many authentication failures|UNPROTECTED PRIVATE KEY")
_UNKNOWN_NAME = re.compile(r"Could not resolve hostname")
_REFUSED = re.compile(r"Connection refused")
_SILENT = re.compile(r"timed out|No route to host|Network is unreachable")
_NO_COMMON = re.compile(r"Unable to negotiate|no matching")
_NO_SSH = re.compile(r"ssh: (command )?not found|ssh: (inaccessible or )?not found")


def onward_failed(said: str, hop: Hop, gateway: Hop, keys: Sequence[str]) -> UnreachableError:
    """What the words of ssh on `gateway` come to (untrusted text); `keys` are the private keys it found there."""
    if wanted := job_needed(said, hop):
        return wanted
    if _HOST_KEY.search(said):
        return _host_key_refused(said, hop, gateway)
    if _NOT_LET_IN.search(said):
        return _not_let_in(said, hop, gateway, keys)
    there, here = described(hop), printable(gateway.name)
    ask = f"ask the administrator of {here}"
    for words, what, hint in (
        (
            _NO_SSH,
            f"{described(gateway)} has no ssh, so nothing leads on to {there}",
            f"ask the administrator of {here}",
        ),
        (_UNKNOWN_NAME, f"{there}: the name {printable(hop.address)} is not known on {here}", "check the address"),
        (_REFUSED, f"{there} refuses connections from {here} on port {hop.port}", "check the port"),
        (_SILENT, f"{there} does not answer {here}", "the node may be down; try again later"),
        (_NO_COMMON, f"ssh on {here} and {there} have no algorithm in common", ask),
    ):
        if words.search(said):
            return UnreachableError(what, detail=last_words(said), hint=hint)
    return UnreachableError(
        f"{there} cannot be reached by ssh from {described(gateway)}",
        detail=last_words(said) or f"it gave no reason within {hop.connect_timeout_s:g} s",
        hint=f"log in to {here} and try there: ssh {hop.address}",
    )


def unsuitable_after(gateway: Hop, hop: Hop) -> UnreachableError:
    """A jump was asked for where only ssh on the gateway leads on."""
    return UnreachableError(
        f"{described(hop)} cannot be reached through a jump: {printable(gateway.name)} itself is not reached by one",
        hint=f"leave provision_reach of {printable(hop.name)} out, or make it nested",
    )


def _host_key_refused(said: str, hop: Hop, gateway: Hop) -> HostKeyError:
    """Where the offered key itself could not be asked for; as a rule the judge has more to say."""
    offered = _FINGERPRINT.search(said)
    return HostKeyError(
        f"The host key of {described(hop)}, as {printable(gateway.name)} sees it, is not a known one; not connecting",
        detail=f"offered: {offered[0]}" if offered else last_words(said),
        hint="compare it with the administrator's; pin it (`host_keys:` in the inventory) only if it is the same",
    )


def _not_let_in(said: str, hop: Hop, gateway: Hop, keys: Sequence[str]) -> AuthenticationError:
    here = printable(gateway.name)
    found = ", ".join(map(printable, keys)) or "none"
    advice = f"its public half must be in ~/.ssh/authorized_keys on {printable(hop.name)}, and nobody else may read it"
    if not keys:
        advice = "put one there: log in, `ssh-keygen -t ed25519`, and add its .pub file to ~/.ssh/authorized_keys"
    return AuthenticationError(
        f"{described(hop)} does not let user {printable(hop.user)} in from {here}",
        detail=f"private keys in ~/.ssh on {here}: {found}\n{last_words(said)}",
        hint=f"between {here} and {printable(hop.name)} the account's own key there counts, not yours: {advice}",
    )


def last_words(said: str) -> str:
    """The end of what a program wrote to stderr, fit for a message."""
    lines = [ascii(line.strip())[1:-1] for line in said.splitlines() if line.strip(" @\r\t")]
    return "\n".join(lines[-4:])
