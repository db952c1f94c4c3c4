"""Trees below `~/.provision/store`: where one is, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.shell.entry import Kind

STORE = "~/.provision/store"


def key(name: str, inputs: Mapping[str, Any]) -> str:
    """`<name>-<hash8>`: the same inputs make the same tree, other inputs another one beside it."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def manifest(inputs: Mapping[str, Any]) -> bytes:
    """The content of `.ok`, which is written last: what the tree was made from."""
    return (json.dumps(inputs, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def is_whole(host: HostView, tree: str, inputs: Mapping[str, Any]) -> bool:
    """Whether `tree` was made from these inputs, to the end."""
    mark = host.entry(f"{tree}/.ok")
    return mark.kind is Kind.FILE and mark.digest == hashlib.sha256(manifest(inputs)).hexdigest()
