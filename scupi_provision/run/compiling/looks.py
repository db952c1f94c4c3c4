"""Looks at an account: the script that takes one, and what it has printed, understood."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import posixpath
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from scupi_provision.errors import InputError, UnreachableError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.compiling.assumed import is_in, is_told
from scupi_provision.run.reading import Reading
from scupi_provision.shell import program
from scupi_provision.shell.decode import Decoder
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.replies import EndReply
from scupi_provision.shell.standalone import looking_runtime
from scupi_provision.shell.words import word, words

T = TypeVar("T")
HOME = "@HOME@"
"""Stands for the home in what a look is asked: before the first look nobody knows where it is."""
_FORMAT = "provision-look 1"
_FRAME = re.compile(r"-----BEGIN PROVISION LOOK-----(.*?)-----END PROVISION LOOK\s+([0-9a-f\s]*)-----", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """What a look shall tell of one host.

    Attributes:
        base: The host's name in the inventory.
        ssh: How it is reached from the login node, as arguments of ssh; None for the login node itself.
    """

    base: str
    ssh: tuple[str, ...] | None
    needs: Needs


def look_program(hosts: list[Asked], name: str) -> str:
    """The program that looks at these hosts, to be sealed; `name` is what its file will be called."""
    nonce = secrets.token_hex(8)
    begin = f"P_NONCE={nonce} S_NAME={word(name)} S_LOOKS={word(f'{_FORMAT} {nonce}')}$P_NL\n"
    others = [host for host in hosts if host.ssh is not None]
    roles = "".join(_role(host) for host in others)
    parts = [looking_runtime(), begin, f"case $S_ROLE in\n{roles}esac\n"]
    for host in hosts:
        if host.ssh is None:
            parts.append(_here(host))
        else:
            send = f"s_send {words(f'look-{host.base}', host.base, *host.ssh)}"
            parts.append(f"if s_stream=$({send}); then {_kept(host)}; else s_unseen {word(host.base)}; fi\n")
    return "".join([*parts, "s_show >&3\n"])


def _role(host: Asked) -> str:
    """Another host's part: for this script, which asks over ssh, and for a person who is there."""
    return f"look-{host.base})\n{_stream(host)}exit 0 ;;\n{host.base})\n{_here(host)}s_show >&3\nexit 0 ;;\n"


def _here(host: Asked) -> str:
    return f"s_stream=$(exec 3>&1 1>&2\n{_stream(host)})\n{_kept(host)}\n"


def _kept(host: Asked) -> str:
    told = base64.b64encode(json.dumps(_as_lists(host.needs)).encode()).decode("ascii")
    return f's_seen {word(f"host {host.base}")}; s_seen {word(f"asked {told}")}; s_seen "$s_stream"'


def _stream(host: Asked) -> str:
    text = Reading(host.needs).text + program.end()
    return text.replace(f"'{HOME}/", '"$HOME"\'/').replace(f"{HOME}/", '"$HOME"/').replace(HOME, '"$HOME"')


def homeless(needs: Needs, home: str) -> Needs:
    """What is needed, with `@HOME@` for the home and without what is above it: the look tells where it is."""

    def named(paths: Iterable[str]) -> dict[str, None]:
        return {HOME + path[len(home) :]: None for path in paths if is_in(path, home)} | {
            path: None for path in paths if not is_told(path, home)
        }

    return Needs(needs.facts, named(needs.entries), named(needs.contents), named(needs.names))


def _as_lists(needs: Needs) -> dict[str, list[str]]:
    return {"entries": list(needs.entries), "contents": list(needs.contents), "names": list(needs.names)}


def parse_look(text: str) -> dict[str, Snapshot]:
    """What a look has told, by the host's name. It comes from a host: nothing in it is believed without its hash.

    Raises:
        InputError: It is no look, or not whole.
    """
    found: dict[str, Snapshot] = {}
    frames = list(_FRAME.finditer(text))
    if not frames:
        raise InputError("this is no look", hint="copy everything from -----BEGIN to the last -----, both included")
    for framed in frames:
        found |= _framed(framed[1], framed[2])
    return found


def _framed(text: str, digest: str) -> dict[str, Snapshot]:
    try:
        payload = base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise InputError("the look is damaged", detail=str(error), hint=_COPY_AGAIN) from error
    if hashlib.sha256(payload).hexdigest() != "".join(digest.split()):
        raise InputError("the look is not whole: its hash is another one", hint=_COPY_AGAIN)
    head, _, rest = payload.decode("utf-8", "surrogateescape").partition("\n")
    if not head.startswith(_FORMAT):
        raise InputError(f"another version of provision made the look ({head[:40]})", hint="make a new look script")
    return _hosts(head.rpartition(" ")[2], rest)


_COPY_AGAIN = "copy it again; the terminal must not drop lines"


def _hosts(nonce: str, text: str) -> dict[str, Snapshot]:
    found: dict[str, Snapshot] = {}
    for part in re.split(r"^host ", text, flags=re.MULTILINE)[1:]:
        base, asked, stream = part.split("\n", 2)
        given: Mapping[str, list[str]] = json.loads(base64.b64decode(asked.removeprefix("asked ")))
        wanted, contents, names = (dict.fromkeys(given[kind]) for kind in ("entries", "contents", "names"))
        needs = Needs(facts=True, entries=wanted, contents=contents, names=names)
        snapshot = Snapshot()
        try:
            replies = list(Decoder(nonce).feed(stream.encode("utf-8", "surrogateescape")))
            again = Reading(needs).keep(replies, snapshot)
        except (UnreachableError, ValueError) as error:
            what = f"the look at {base} cannot be understood"
            raise InputError(what, detail=str(error), hint="look again") from error
        if not any(isinstance(reply, EndReply) for reply in replies):
            raise InputError(f"the look at {base} was cut short", hint="look again")
        if again:
            changed = ", ".join([*again.entries][:3])
            raise InputError(f"{base} changed while it was looked at: {changed}", hint="look again")
        found[base] = _at_home(snapshot)
    return found


def _at_home(snapshot: Snapshot) -> Snapshot:
    """The same with the home by its name."""
    home = snapshot.facts.home if snapshot.facts else "/"

    def named(known: Mapping[str, T]) -> dict[str, T]:
        return {home + path[len(HOME) :] if path.startswith(HOME) else path: value for path, value in known.items()}

    return Snapshot(snapshot.facts, named(snapshot.entries), named(snapshot.contents), named(snapshot.names))


class Looked:
    """A host at which somebody has looked: answers from the look, and notes what it does not tell.

    Attributes:
        lacking: What was asked and is not in the look; answered as if nothing were there.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Answer from `snapshot`."""
        self.snapshot = snapshot
        self.lacking = Needs()

    def read(self, needs: Needs, snapshot: Snapshot) -> None:
        """Answer what is needed."""
        home = snapshot.facts.home if snapshot.facts else "/"
        for path in (*needs.entries, *needs.contents):
            if path != home and is_in(home, path):
                snapshot.entries.setdefault(path, Entry(Kind.DIRECTORY))  # a folder above the home
            elif path not in snapshot.entries and not self._is_below_nothing(path):
                self.lacking.entries[path] = None
            snapshot.entries.setdefault(path, ABSENT)
        for path in needs.contents:
            if snapshot.entries[path].kind is Kind.FILE:
                self.lacking.contents[path] = None
                snapshot.contents.setdefault(path, b"")
        for pattern in needs.names:
            if not self._is_below_nothing(pattern):
                self.lacking.names[pattern] = None
            snapshot.names.setdefault(pattern, ())
        snapshot.inspections.update(dict.fromkeys(needs.inspections))

    def _is_below_nothing(self, path: str) -> bool:
        """Whether something above `path` was not there: then nobody has to look for it."""
        above = path
        while (above := posixpath.dirname(above)) != "/":
            entry = self.snapshot.entries.get(above)
            if entry is not None:
                return not entry.exists
        return False
