"""Looks at an account: the script that takes one, and what it has printed, understood."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from scupi_provision.errors import InputError, UnreachableError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.reading import Reading
from scupi_provision.shell import program
from scupi_provision.shell.decode import Decoder
from scupi_provision.shell.entry import ABSENT
from scupi_provision.shell.replies import EndReply
from scupi_provision.shell.standalone import looking_runtime
from scupi_provision.shell.words import word, words

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


def look_program(hosts: list[Asked]) -> str:
    """The program that looks at these hosts, to be sealed."""
    nonce = secrets.token_hex(8)
    roles = "".join(f"look-{host.base})\n{_stream(host)}exit 0 ;;\n" for host in hosts if host.ssh is not None)
    begin = f"P_NONCE={nonce}\ncase $S_ROLE in\n{roles}esac\nS_LOOKS={word(f'{_FORMAT} {nonce}')}$P_NL\n"
    parts = [looking_runtime(), begin]
    for host in hosts:
        told = base64.b64encode(json.dumps(_as_lists(host.needs)).encode()).decode("ascii")
        head = f's_seen {word(f"host {host.base}")}; s_seen {word(f"asked {told}")}; s_seen "$s_stream"'
        if host.ssh is None:
            parts.append(f"s_stream=$(exec 3>&1 1>&2\n{_stream(host)})\n{head}\n")
        else:
            send = f"s_send {words(f'look-{host.base}', host.base, *host.ssh)}"
            parts.append(f"if s_stream=$({send}); then {head}; else s_unseen {word(host.base)}; fi\n")
    return "".join([*parts, "s_show >&3\n"])


def _stream(host: Asked) -> str:
    return Reading(host.needs).text + program.end()


def _as_lists(needs: Needs) -> dict[str, list[str]]:
    return {"entries": list(needs.entries), "contents": list(needs.contents), "names": list(needs.names)}


def parse_look(text: str) -> dict[str, Snapshot]:
    """What a look has told, by the host's name. It comes from a host: nothing in it is believed without its hash.

    Raises:
        InputError: It is no look, or not whole.
    """
    framed = _FRAME.search(text)
    if framed is None:
        raise InputError("this is no look", hint="copy everything from -----BEGIN to the last -----, both included")
    try:
        payload = base64.b64decode("".join(framed[1].split()), validate=True)
    except binascii.Error as error:
        raise InputError("the look is damaged", detail=str(error), hint=_COPY_AGAIN) from error
    if hashlib.sha256(payload).hexdigest() != "".join(framed[2].split()):
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
        needs = Needs(facts=True, **{name: dict.fromkeys(paths) for name, paths in given.items()})
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
            names = ", ".join([*again.entries][:3])
            raise InputError(f"{base} changed while it was looked at: {names}", hint="look again")
        found[base] = snapshot
    return found


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
        self.lacking.add(needs)
        for path in (*needs.entries, *needs.contents):
            snapshot.entries.setdefault(path, ABSENT)
        for pattern in needs.names:
            snapshot.names.setdefault(pattern, ())
