"""Names of groups and hosts that tasks give."""

from __future__ import annotations


def group_name(text: str) -> str:
    """`text` as the name of a group: a space becomes a hyphen, as in Ansible's group_by."""
    return text.replace(" ", "-")


def host_and_port(text: str) -> tuple[str, int | None]:
    """`name:port` (or `[address]:port`) apart; an address with several colons has no port without brackets."""
    name, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (":" not in name or (name.startswith("[") and name.endswith("]"))):
        return name.strip("[]"), int(port)
    return text.strip("[]"), None
