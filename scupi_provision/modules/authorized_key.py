"""`authorized_key`: who may log in to the account. A change of it is watched by the lockout guard."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.shell.entry import Kind

_KINDS = (
    "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip
"""Kinds of keys in authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""


class Args(ModuleArgs):
    """Add or remove keys in authorized_keys."""

    user: Text = Field(description="The account itself; others' are not ours to touch.")
    key: Text = Field(description="Public keys, one a line, or `file:///path` of the host.")
    state: Literal["present", "absent"] = Field("present", description="Whether the keys shall be there.")
    exclusive: Boolean = Field(default=False, description="Whether all other keys are removed.")
    key_options: Text | None = Field(None, description='Options ahead of the key, such as no-pty,from="10.0.0.1".')
    comment: Text | None = Field(None, description="The comment after the key; its own when not given.")
    path: PathText | None = Field(None, description="Another file than ~/.ssh/authorized_keys.")
    manage_dir: Boolean = Field(default=True, description="Whether the file's folder is made, with mode 0700.")
    follow: Boolean = Field(default=False, description="Write to what a link points to, instead of replacing it.")
    validate_certs: Boolean = Field(default=True, description="As in Ansible, for keys by URL, which are refused here.")

    @field_validator("key")
    @classmethod
    def _not_from_afar(cls, key: str) -> str:
        if key.startswith(("http://", "https://")):
            raise ValueError("keys by URL would let whoever serves it log in; fetch them once and name the file")
        if not key.startswith("file://"):
            for line in filter(_says_something, key.splitlines()):
                if _parsed(line) is None:
                    raise ValueError(f"is no public key: {line[:40]}")
        return key


@dataclass(frozen=True)
class _Key:
    """One line that holds a key."""

    options: str
    kind: str
    data: str
    comment: str

    @property
    def line(self) -> str:
        return " ".join(part for part in (self.options, self.kind, self.data, self.comment) if part) + "\n"


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parsed(line: str) -> _Key | None:
    """The key in a line, or None. Options may hold blanks in quotes."""
    text, options = line.strip(), ""
    if text.split(None, 1)[0] not in _KINDS:
        end = _end_of_options(text)
        options, text = text[:end], text[end:].strip()
    fields = text.split(None, 2)
    if len(fields) < 2 or fields[0] not in _KINDS:
        return None
    return _Key(options, fields[0], fields[1], fields[2].strip() if len(fields) > 2 else "")


def _end_of_options(text: str) -> int:
    quoted = False
    for index, character in enumerate(text):
        if character == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif character in " \t" and not quoted:
            return index
    return len(text)


def plan(args: Args, host: HostView) -> Result:
    """Plan the file as it shall be."""
    user = host.facts.raw.get("user")
    if args.user not in {user, host.facts.raw.get("uid")}:
        raise TaskFailedError(f"the keys of {args.user} are only {args.user}'s own to change; this account is {user}")
    path = host.path(args.path or "~/.ssh/authorized_keys")
    if args.follow:
        path = host.resolve(path)
    host.want(contents=[path], entries=[posixpath.dirname(path)])
    lines = host.content(path).decode("utf-8", "surrogateescape").splitlines(keepends=True)
    wanted = _changed(lines, _keys(args, host), args)
    changed = False
    if args.state == "present" and args.manage_dir:
        above = posixpath.dirname(path)
        changed = host.mkdir(above, 0o700, parents=False)
        changed = host.set_mode(above, 0o700) or changed
    if wanted != lines or (args.state == "present" and host.entry(path).kind is Kind.ABSENT):
        changed = host.write(path, "".join(wanted).encode("utf-8", "surrogateescape"), 0o600) or changed
    elif host.entry(path).kind is Kind.FILE:
        changed = host.set_mode(path, 0o600) or changed
    names = ("user", "key", "key_options", "exclusive", "manage_dir", "comment", "follow", "validate_certs")
    values: dict[str, Any] = {name: getattr(args, name) for name in names}
    return Result(changed, {**values, "state": args.state, **attributes(host, path), "path": path, "keyfile": path})


def _keys(args: Args, host: HostView) -> list[_Key]:
    text = args.key
    if text.startswith("file://"):
        path = host.resolve(text.removeprefix("file://"))
        if host.entry(path).kind is not Kind.FILE:
            raise TaskFailedError(f"{path} is not there, or is no file")
        text = host.content(path).decode("utf-8", "replace")
    keys = []
    for line in filter(_says_something, text.splitlines()):
        key = _parsed(line)
        if key is None:
            raise TaskFailedError(f"this is no public key: {line[:40]}")
        options = args.key_options if args.key_options is not None else key.options
        comment = args.comment if args.comment is not None else key.comment
        keys.append(_Key(options, key.kind, key.data, comment))
    if not keys:
        raise TaskFailedError("key holds no key")
    return keys


def _changed(lines: list[str], keys: list[_Key], args: Args) -> list[str]:
    """`lines` with, or without, these keys; other lines stay as they are, unless the keys are exclusive."""
    wanted = {key.data: key for key in keys}
    kept: list[str] = []
    found: set[str] = set()
    for line in lines:
        present = _parsed(line) if _says_something(line) else None
        if present is None:
            kept.append(line)
        elif present.data not in wanted:
            kept += [] if args.exclusive and args.state == "present" else [line]
        elif args.state == "present" and present.data not in found:
            found.add(present.data)
            key = wanted[present.data]
            same = (key.options, key.comment) == (present.options, present.comment)
            kept.append(line if same else key.line)
    if args.state == "present":
        if kept and not kept[-1].endswith("\n"):
            kept[-1] += "\n"
        kept += [key.line for key in keys if key.data not in found]
    return kept


MODULE = Module("authorized_key", Args, plan, aliases=("ansible.posix.authorized_key",))
