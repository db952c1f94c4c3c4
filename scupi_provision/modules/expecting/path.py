"""`expect` on what is at a path."""

from __future__ import annotations

from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Claim
from scupi_provision.shell.entry import Entry, Kind

_NAMES = {
    Kind.FILE: "a file",
    Kind.DIRECTORY: "a directory",
    Kind.LINK: "a link",
    Kind.ABSENT: "nothing",
    Kind.OTHER: "something that is neither file nor directory",
}
_KINDS = {"file": Kind.FILE, "directory": Kind.DIRECTORY, "link": Kind.LINK, "absent": Kind.ABSENT}


def claims(args: Any, host: HostView) -> tuple[Claim, ...]:
    """What `expect: path=…` claims. Links are followed, except for `kind: link`, `kind: absent` and `target`."""
    path = host.path(args.path)
    itself = args.kind in {"link", "absent"} or args.target is not None
    entry = host.entry(path, follow=not itself)
    wanted = Kind.LINK if args.target is not None and args.kind is None else _KINDS.get(args.kind or "")
    found = [_kind(path, entry, wanted)]
    if found[0].passed and entry.exists:
        if args.target is not None:
            found.append(Claim(entry.target == args.target, f"{path} -> {args.target}", f"-> {entry.target}"))
        if args.mode is not None:
            found.append(_mode(args, path, host.entry(path, follow=True)))
        if args.contains is not None:
            found.append(_content(args, path, host))
    return tuple(found)


def _kind(path: str, entry: Entry, wanted: Kind | None) -> Claim:
    passed = entry.exists if wanted is None else entry.kind is wanted
    return Claim(passed, f"{'something' if wanted is None else _NAMES[wanted]} at {path}", _NAMES[entry.kind])


def _mode(args: Any, path: str, entry: Entry) -> Claim:
    now = entry.mode or 0
    wanted = args.mode.resolve(now, is_directory=entry.kind is Kind.DIRECTORY)
    return Claim(now == wanted, f"mode {wanted:04o} of {path}", f"{now:04o}")


def _content(args: Any, path: str, host: HostView) -> Claim:
    content = host.content(host.resolve(path)).decode("utf-8", "replace")
    found = args.contains in content
    seen = next((line for line in content.splitlines() if args.contains in line), args.contains) if found else (
        f"a file of {len(content.splitlines())} lines without it"
    )  # fmt: skip
    return Claim(found, f"{args.contains!r} in {path}", seen)
