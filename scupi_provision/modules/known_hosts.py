"""`known_hosts`: the keys by which a host is recognised. Read and written as a file; ssh-keygen is not needed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import posixpath
from typing import Literal

from pydantic import AliasChoices, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text

_NEW_MODE = 0o644


class Args(ModuleArgs):
    """Add or remove keys of a host. Another key of the same kind is replaced."""

    name: Text = Field(
        description="The host, as in the key; `[host]:port` for another port than 22.",
        validation_alias=AliasChoices("name", "host"),
    )
    key: Text | None = Field(None, description="A whole line: the host, the kind of the key, the key.")
    path: PathText = Field("~/.ssh/known_hosts", description="The file.")
    hash_host: Boolean = Field(default=False, description="Write the host's name as a hash, which only matching tells.")
    state: Literal["present", "absent"] = Field("present", description="Whether the key shall be there.")

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.state == "present" and not self.key:
            raise ValueError("state: present needs key")
        for line in (self.key or "").strip().splitlines():
            if len(_fields(line)) < 3:
                raise ValueError("key is a whole line: the host, the kind of the key, the key")
            if not _names(_fields(line)[0], self.name.lower()):
                raise ValueError(f"the key is not one of {self.name}; both must name the same host")
        if len((self.key or "").strip().splitlines()) > 1:
            raise ValueError("key is one line; use a loop for several")
        return self


def _fields(line: str) -> list[str]:
    fields = line.split()
    return fields[1:] if fields and fields[0].startswith("@") else fields


def _names(hosts: str, name: str) -> bool:
    """Whether the first field of a line names the host, also when it is a hash (sshd(8), SSH_KNOWN_HOSTS)."""
    if not hosts.startswith("|1|"):
        return name in hosts.lower().split(",")
    try:
        salt, digest = (base64.b64decode(part) for part in hosts[3:].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)


def _hashed(name: str, key: str) -> str:
    """The name as a hash. Its salt comes from what is hashed, so that planning twice plans the same."""
    salt = hashlib.sha256(f"provision {name} {key}".encode()).digest()[:20]
    digest = hmac.new(salt, name.encode(), "sha1").digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def plan(args: Args, host: HostView) -> Result:
    """Plan the file as it shall be."""
    path = host.resolve(args.path)
    above = posixpath.dirname(path)
    host.want(contents=[path], entries=[above])
    now = host.entry(path)
    if not now.exists and not host.entry(above, follow=True).exists:
        raise TaskFailedError(f'{above} is not there; make it first (file: state: directory, mode: "0700")')
    lines = host.content(path).decode("utf-8", "surrogateescape").splitlines(keepends=True)
    wanted = _without(lines, args) if args.state == "absent" else _with(lines, args)
    values = {"name": args.name.lower(), "key": args.key, "hash_host": args.hash_host}
    if wanted == lines:
        return Result(values={**values, **attributes(host, path), "state": args.state if not now.exists else "file"})
    mode = now.mode if now.mode is not None else _NEW_MODE & ~host.facts.umask
    changed = host.write(path, "".join(wanted).encode("utf-8", "surrogateescape"), mode)
    return Result(changed, {**values, **attributes(host, path)})


def _without(lines: list[str], args: Args) -> list[str]:
    key = _fields(args.key)[1:3] if args.key else None
    kept = []
    for line in lines:
        fields = _fields(line)
        gone = len(fields) >= 3 and not line.startswith("#") and _names(fields[0], args.name.lower())
        if not gone or (key is not None and fields[1:3] != key):
            kept.append(line)
    return kept


def _with(lines: list[str], args: Args) -> list[str]:
    """`lines` with the key as the only one of its kind that the host has."""
    text = (args.key or "").strip()
    kind, key = _fields(text)[1:3]
    name = args.name.lower()
    same = [line for line in lines if _is_of(line, name, kind)]
    fitting = [line for line in same if _fields(line)[2] == key and line.startswith("|1|") is args.hash_host]
    if fitting and len(same) == 1:
        return lines
    if args.hash_host:
        text = " ".join([_hashed(name, key), *text.split(None, 1)[1:]])
    kept = [line for line in lines if line not in same]
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return [*kept, f"{text}\n"]


def _is_of(line: str, name: str, kind: str) -> bool:
    fields = _fields(line)
    return len(fields) >= 3 and not line.startswith("#") and fields[1] == kind and _names(fields[0], name)


MODULE = Module("known_hosts", Args, plan, aliases=("ansible.builtin.known_hosts",))
