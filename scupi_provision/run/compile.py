"""`provision compile`: a play as one script for a person who has only a shell on the login node."""

from __future__ import annotations

import time
from dataclasses import dataclass

import scupi_provision
from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.events import Outcome
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.run.choosing import choose_account
from scupi_provision.run.compiling.assumed import assumed_facts
from scupi_provision.run.compiling.basis import state_checks
from scupi_provision.run.compiling.checks import claims, judging_later
from scupi_provision.run.compiling.handlers import called_by, callers
from scupi_provision.run.compiling.offline import PlannedOffline, Sight, Stage
from scupi_provision.run.compiling.refusals import LOOK, refusals
from scupi_provision.run.compiling.script import CheckText, Script, StepText, Variant, Witness
from scupi_provision.run.compiling.steps import StepTexts
from scupi_provision.run.compiling.unseen import UnseenHome
from scupi_provision.run.compiling.watching import Watch
from scupi_provision.run.site import Site
from scupi_provision.shell.standalone import Standalone, pasteable, sealed
from scupi_provision.shell.words import words

_MOST_THEIRS = 5
"""Files of the user's that a script tells apart: there are 32 ways in which 5 may be there or not, each a variant."""


@dataclass(frozen=True)
class Wish:
    """What shall be compiled.

    Attributes:
        account: Whose; None for the only one.
        name: What the file will be called.
        pasted: Whether it shall be lines for a terminal.
        with_secrets: Whether what `no_log` hides may stand in it.
        max_size: Bytes that it may have.
    """

    account: str | None = None
    name: str = "site.sh"
    pasted: bool = False
    with_secrets: bool = False
    max_size: int = 8 * 1024 * 1024


@dataclass(frozen=True)
class Compiled:
    """A script.

    Attributes:
        text: The file.
        steps: How many steps it may do.
        unproved: What its checks claim that it cannot judge.
        hint: What to do with it.
    """

    text: str
    steps: int
    unproved: tuple[str, ...]
    hint: str


def compile_site(site: Site, wish: Wish) -> Compiled:
    """The site as one script for one account.

    Raises:
        InputError: Something in it cannot be done by a script, or the script would be too large.
    """
    play, host = _only(site, wish)
    script = _Assumed(site, play, host, wish).script()
    about = (
        f"provision {scupi_provision.__version__} made this from {site.playbook.path.name} for account {host.account}.",
        f"Run it on {host.base}: sh {wish.name}     Run it again as often as you like: it does what is left to do.",
    )
    text = sealed(script.text(), about=about)
    if len(text.encode("utf-8", "surrogateescape")) > wish.max_size:
        raise InputError(
            f"the script would have {len(text) // 1024} KiB, more than {wish.max_size // 1024} KiB",
            hint="let the host download large files (get_url), or allow more with --max-size",
        )
    steps = len({key for variant in script.variants.values() for key in variant.steps})
    unproved = tuple(claim for witness in script.witnesses for claim in witness.unproved)
    if wish.pasted:
        hint = f"paste all of it into a shell on {host.base}; it keeps itself as ~/{wish.name} and begins"
        return Compiled(pasteable(text, wish.name), steps, unproved, hint)
    hint = f"upload it to {host.base} (the web page's file manager will do) and run there: sh {wish.name}"
    return Compiled(text, steps, unproved, hint)


def _only(site: Site, wish: Wish) -> tuple[Play, Host]:
    account = choose_account(site.inventory, wish.account)
    found = [(play, host) for play in site.playbook.plays for host in site.targets(play) if host.account == account]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"no play of {site.playbook.path.name} is for a host of account {account}")
    names = ", ".join(f"{play.name} on {host.base}" for play, host in found)
    raise InputError(f"a script is for one play on one host, here are {len(found)}: {names}", hint="use --limit")


@dataclass
class _Assumed:
    """Makes a script for an account at which nobody has looked."""

    site: Site
    play: Play
    host: Host
    wish: Wish

    def script(self) -> Script:
        theirs = self._theirs()
        problems: list[Diagnostic] = []
        variants = {}
        for number in range(1 << len(theirs)):
            there = [path for bit, path in enumerate(theirs) if number >> bit & 1]
            variants[number] = self._variant(there, problems)
        if all(variant.refusal for variant in variants.values()):
            raise InputError.of(list(dict.fromkeys(problems)))
        planned, facts = self._plan([])[0], assumed_facts(self.host, self.site.request)
        started = time.strftime("%Y-%m-%d")
        return Script(
            title=f"{self.play.name}: {self.site.playbook.path.name} for {self.host.account} ({started})",
            owner="a compiled script (provision compile,",
            name=self.wish.name,
            advice=LOOK,
            facts=(f"s_home {words(facts['home'], facts['umask'])}",),
            theirs=tuple(theirs),
            variants=variants,
            witnesses=tuple(self._witness(witness, planned) for witness in self.site.witnesses(self.play, self.host)),
        )

    def _theirs(self) -> list[str]:
        """The user's own files whose being there decides what tasks do."""
        found: list[str] = []
        for _ in range(_MOST_THEIRS + 1):
            asked = {path for there in ([], found) for path in self._plan(there)[2].files}
            if asked <= set(found):
                return found
            found += sorted(asked - set(found))
        raise InputError(
            f"what is to be done depends on {len(found)} files of the user's: {', '.join(found)}", hint=LOOK
        )

    def _plan(self, theirs: list[str]) -> tuple[PlannedOffline, UnseenHome, Watch]:
        home = UnseenHome(assumed_facts(self.host, self.site.request), theirs)
        watch = Watch(home)
        stage = Stage(self.site, self.play, self._sights(home, watch))
        return stage.apply(self.host), home, watch

    def _sights(self, home: UnseenHome, watch: Watch) -> dict[str, Sight]:
        sights = {self.host.name: Sight(self.host, home.snapshot, home.read, watch.modules)}
        for witness in self.site.witnesses(self.play, self.host):
            other = UnseenHome(assumed_facts(witness, self.site.request))
            sights.setdefault(witness.name, Sight(witness, other.snapshot, other.read, Watch(other).modules))
        return sights

    def _variant(self, theirs: list[str], problems: list[Diagnostic]) -> Variant:
        planned, home, _ = self._plan(theirs)
        steps = planned.plan.steps
        found = [problem for step in steps for problem in refusals(step, with_secrets=self.wish.with_secrets)]
        if found:
            problems += found
            return Variant(refusal=f"{found[0].summary}. {found[0].hint}")
        texts = StepTexts(steps, home)
        calls = called_by(callers(steps, self.play))
        made = {}
        for index, step in enumerate(steps):
            body = texts.text(index)
            if body:
                told = step.outcome is Outcome.WOULD_CHANGE
                made[step.key] = StepText(
                    str(step.label), body, step.ignore_errors, told, tuple(calls.get(step.key, ()))
                )
        return Variant(tuple(state_checks(planned.plan, home.snapshot, home)), made)

    def _witness(self, witness: Host, applied: PlannedOffline) -> Witness:
        home = UnseenHome(assumed_facts(self.host, self.site.request))
        stage = Stage(self.site, self.play, self._sights(home, Watch(home)))
        planned = stage.verify(witness, applied, judging_later)
        checks, unproved = [], []
        compiler = Standalone()
        for step in planned.plan.steps:
            if step.outcome in {Outcome.UNKNOWN, Outcome.FAILED}:
                unproved.append(f"{step.label}")
            elif step.module and step.module.name == "expect" and step.outcome is not Outcome.SKIPPED:
                if step.args is not None and "value" in step.args.model_fields_set:
                    continue
                commands, beyond = claims(step, planned.view.home, compiler)
                unproved += [f"{step.label}: {claim}" for claim in beyond]
                checks.append(CheckText(str(step.label), tuple(commands), step.ignore_errors))
        ssh = None if witness.base == self.host.base else (witness.base,)
        return Witness(witness.base, ssh, (), tuple(checks), tuple(unproved))
