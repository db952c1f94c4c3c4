"""`provision compile`: a play as one script for a person who has only a shell on the login node."""

from __future__ import annotations

from dataclasses import dataclass, replace

import scupi_provision
from scupi_provision.errors import InputError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.choosing import choose_account
from scupi_provision.run.compiling.looks import Asked, homeless, look_program, parse_look
from scupi_provision.run.compiling.making import Maker, files_of_theirs
from scupi_provision.run.compiling.script import Script
from scupi_provision.run.compiling.sighting import Subject, sighted, ssh_arguments
from scupi_provision.run.site import Site
from scupi_provision.shell.standalone import pasteable, sealed


@dataclass(frozen=True)
class Wish:
    """What shall be compiled.

    Attributes:
        account: Whose; None for the only one.
        name: What the file will be called.
        look: What a look has printed; None to assume what nobody has looked at.
        pasted: Whether it shall be lines for a terminal.
        with_secrets: Whether what `no_log` hides may stand in it.
        max_size: Bytes that it may have.
    """

    account: str | None = None
    name: str = "site.sh"
    look: str | None = None
    pasted: bool = False
    with_secrets: bool = False
    max_size: int = 8 * 1024 * 1024


@dataclass(frozen=True)
class Compiled:
    """A script.

    Attributes:
        text: The file.
        steps: How many steps it may do; 0 for one that only looks.
        unproved: What its checks claim that it cannot judge.
        hint: What to do with it.
        stops: For which accounts it does nothing, and why.
    """

    text: str
    steps: int
    unproved: tuple[str, ...]
    hint: str
    stops: tuple[str, ...] = ()


def compile_site(site: Site, wish: Wish) -> Compiled:
    """The site as one script for one account.

    Raises:
        InputError: Something in it cannot be done by a script, or the script would be too large.
    """
    subject = _subject(site, wish)
    script = Maker(subject, wish.name, wish.with_secrets).script()
    steps = len({key for variant in script.variants.values() for key in variant.steps})
    unproved = tuple(claim for witness in script.witnesses for claim in witness.unproved)
    again = "Run it again as often as you like: it does what is left to do."
    return replace(_finished(subject, wish, script.text(), again, steps, unproved), stops=_stops(script))


def _stops(script: Script) -> tuple[str, ...]:
    """The simplest accounts for which the script has no variant: without, or with one of, the files it tells apart."""
    found = []
    for number in (0, *(1 << bit for bit in range(len(script.theirs)))):
        refusal = script.variants[number].refusal
        if refusal:
            where = (
                f"where {script.theirs[number.bit_length() - 1]} is there" if number else "where no such file is there"
            )
            found.append(f"{where}: {refusal}")
    return tuple(found)


def look_script(site: Site, wish: Wish) -> Compiled:
    """A script that looks at the account, and at the hosts of `verify:` from there, and changes nothing.

    With a look, the script asks for what that one has told and for what it has not.
    """
    subject = _subject(site, wish)
    asked = {host.name: _told_by(subject.looks.get(host.base)) for host in subject.hosts}
    for theirs in ([], [] if subject.is_looked_at else files_of_theirs(subject)):
        sighting = sighted(subject, theirs, watched=False)
        applied = sighting.apply()
        for witness in subject.witnesses:
            sighting.verify(witness, applied)
        for name, needs in sighting.asked.items():
            asked[name].add(needs)
    looked_at = []
    for host in subject.hosts:
        needs = homeless(asked[host.name], subject.facts(host).get("home", "/"))
        looked_at.append(Asked(host.base, ssh_arguments(host, subject.host, site.request), needs))
    return _finished(
        subject, wish, look_program(looked_at, wish.name), "It changes nothing; copy what it prints.", 0, ()
    )


def _told_by(look: Snapshot | None) -> Needs:
    if look is None:
        return Needs(facts=True)
    entries, contents, names = (dict.fromkeys(known) for known in (look.entries, look.contents, look.names))
    return Needs(facts=True, entries=entries, contents=contents, names=names)


def _subject(site: Site, wish: Wish) -> Subject:
    account = choose_account(site.inventory, wish.account)
    found = [(play, host) for play in site.playbook.plays for host in site.targets(play) if host.account == account]
    if not found:
        raise InputError(f"no play of {site.playbook.path.name} is for a host of account {account}")
    if len(found) > 1:
        names = ", ".join(f"{play.name} on {host.base}" for play, host in found)
        raise InputError(f"a script is for one play on one host, here are {len(found)}: {names}", hint="use --limit")
    ((play, host),) = found
    looks = parse_look(wish.look) if wish.look is not None else {}
    return Subject(site, play, host, tuple(site.witnesses(play, host)), looks)


def _finished(subject: Subject, wish: Wish, program: str, note: str, steps: int, unproved: tuple[str, ...]) -> Compiled:
    host, playbook = subject.host, subject.site.playbook.path.name
    about = (
        f"provision {scupi_provision.__version__} made this from {playbook} for {host.account or host.label}.",
        f"Run it on {host.base}: sh {wish.name}     {note}",
    )
    text = sealed(program, about=about)
    size = len(text.encode("utf-8", "surrogateescape"))
    if size > wish.max_size:
        raise InputError(
            f"the script would have {size // 1024} KiB, more than {wish.max_size // 1024} KiB",
            hint="let the host download large files (get_url), or allow more with --max-size",
        )
    made = Compiled(text, steps, unproved, f"upload it to {host.base} and run there: sh {wish.name}")
    if not wish.pasted:
        return made
    hint = f"paste all of it into a shell on {host.base}; it keeps itself there as {wish.name}, and begins"
    return replace(made, text=pasteable(text, wish.name), hint=hint)
