"""From a subject to a script: planned for every way in which the user's own files may be there, and written down."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.events import Outcome
from scupi_provision.inventory.models import Host
from scupi_provision.plan.guarded import guarded_paths
from scupi_provision.plan.models import Step
from scupi_provision.run.compiling.basis import state_checks
from scupi_provision.run.compiling.checks import claims
from scupi_provision.run.compiling.handlers import called_by, callers
from scupi_provision.run.compiling.mattering import fact_checks, fingerprint, mattering
from scupi_provision.run.compiling.offline import PlannedOffline
from scupi_provision.run.compiling.refusals import LOOK, refusals
from scupi_provision.run.compiling.script import CheckText, Script, StepText, Variant, Witness
from scupi_provision.run.compiling.sighting import Sighting, Subject, sighted, ssh_arguments
from scupi_provision.run.compiling.steps import StepTexts
from scupi_provision.shell.standalone import Standalone
from scupi_provision.shell.words import words

_MOST_THEIRS = 5
"""Files of the user's that a script tells apart: there are 32 ways in which 5 may be there or not, each a variant."""
_LOOK_AGAIN = "the account has changed since the look: look again, and compile it anew"


@dataclass
class Maker:
    """Makes the script of one subject.

    Attributes:
        name: What the file will be called.
        with_secrets: Whether what `no_log` hides may stand in it.
    """

    subject: Subject
    name: str
    with_secrets: bool = False

    def script(self) -> Script:
        """The script.

        Raises:
            InputError: Something in the play cannot be done by a script.
        """
        theirs = [] if self.subject.is_looked_at else files_of_theirs(self.subject)
        problems: list[Diagnostic] = []
        variants = {number: self._variant(there, problems) for number, there in _combinations(theirs).items()}
        if all(variant.refusal for variant in variants.values()):
            raise InputError.of(list(dict.fromkeys(problems)))
        sighting = sighted(self.subject)
        applied = sighting.apply()
        host, facts = self.subject.host, self.subject.facts(self.subject.host)
        here = f"s_home {words(facts.get('home', '/'), facts.get('umask', '022'))}"
        return Script(
            title=f"{self.subject.play.name}, for {host.account or host.label} ({time.strftime('%Y-%m-%d')})",
            owner="a compiled script (provision compile,",
            name=self.name,
            advice=_LOOK_AGAIN if self.subject.is_looked_at else LOOK,
            facts=(here, *self._facts(host)),
            theirs=tuple(theirs),
            variants=variants,
            witnesses=tuple(self._witness(witness, sighting, applied) for witness in self.subject.witnesses),
        )

    # --- steps --------------------------------------------------------------------------------------------------------

    def _variant(self, theirs: list[str], problems: list[Diagnostic]) -> Variant:
        sighting = sighted(self.subject, theirs)
        planned = sighting.apply()
        require_told(sighting)
        steps = planned.plan.steps
        play, secrets = self.subject.play, self.with_secrets
        found = [problem for step in steps for problem in refusals(step, play, with_secrets=secrets)]
        if found:
            problems += found
            return Variant(refusal=f"{found[0].summary}. {found[0].hint}")
        snapshot = sighting.stage.sights[self.subject.host.name].snapshot
        return Variant(tuple(state_checks(planned.plan, snapshot, sighting.home)), self._texts(steps, sighting))

    def _texts(self, steps: tuple[Step, ...], sighting: Sighting) -> Mapping[tuple[object, ...], StepText]:
        texts, calls = StepTexts(steps, sighting.home), called_by(callers(steps, self.subject.play))
        made, home = {}, self.subject.facts(self.subject.host).get("home", "/")
        for index, step in enumerate(steps):
            body = texts.text(index)
            if body:
                told, called = step.outcome is Outcome.WOULD_CHANGE, tuple(calls.get(step.key, ()))
                guarded = guarded_paths(step.actions, step, home)
                made[step.key] = StepText(str(step.label), body, step.ignore_errors, told, called, guarded)
        return made

    # --- what it rests on ---------------------------------------------------------------------------------------------

    def _facts(self, host: Host) -> tuple[str, ...]:
        """The commands that compare the facts of one host on which the script, or its checks, depend."""
        facts = self.subject.facts(host)
        names = mattering(facts, lambda told: self._outcome(host, told))
        checks = fact_checks(names, facts, assumed=host.base not in self.subject.looks)
        return tuple(f"s_made_for {words(*check)}" for check in checks if check[0] != "umask")

    def _outcome(self, host: Host, facts: Mapping[str, str]) -> str:
        sighting = sighted(self.subject, facts={host.name: facts}, mark="fixed")
        try:
            applied = sighting.apply()
            return fingerprint(applied.plan)
        except InputError as error:
            return str(error)

    # --- proof --------------------------------------------------------------------------------------------------------

    def _witness(self, witness: Host, sighting: Sighting, applied: PlannedOffline) -> Witness:
        planned = sighting.verify(witness, applied)
        require_told(sighting)
        checks, unproved = _checks(planned)
        ssh = ssh_arguments(witness, self.subject.host, self.subject.site.request)
        facts = () if witness is self.subject.host else self._facts(witness)
        return Witness(witness.base, ssh, facts, tuple(checks), tuple(unproved))


def _checks(planned: PlannedOffline) -> tuple[list[CheckText], list[str]]:
    checks, unproved = [], []
    compiler = Standalone()
    for step in planned.plan.steps:
        if step.outcome in {Outcome.UNKNOWN, Outcome.FAILED}:
            unproved.append(str(step.label))
        elif step.args is not None and step.module and step.module.name == "expect":
            if "value" in step.args.model_fields_set:
                continue  # judged, and true, already
            commands, beyond = claims(step, planned.view.home, compiler)
            unproved += [f"{step.label}: {claim}" for claim in beyond]
            checks.append(CheckText(str(step.label), tuple(commands), step.ignore_errors))
        elif step.actions:
            unproved.append(f"{step.label} (a task of its own, not a check)")
    return checks, unproved


def files_of_theirs(subject: Subject) -> list[str]:
    """The user's own files whose being there decides what the play does.

    Raises:
        InputError: They are too many to be told apart by a script.
    """
    found: list[str] = []
    for _ in range(_MOST_THEIRS + 1):
        asked: set[str] = set()
        for there in ([], found):
            sighting = sighted(subject, there)
            sighting.apply()
            asked |= sighting.watch.files if sighting.watch else set()
        if asked <= set(found):
            return found
        found += sorted(asked - set(found))
        if len(found) > _MOST_THEIRS:
            break
    names = ", ".join(found)
    raise InputError(f"what is to be done depends on {len(found)} files of the user's: {names}", hint=LOOK)


def require_told(sighting: Sighting) -> None:
    """Stop where a look does not tell what the plan has asked."""
    for base, needs in sighting.lacking().items():
        paths = [*needs.entries, *needs.contents, *needs.names]
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        raise InputError(
            f"the look does not tell what is at {', '.join(paths[:3])}{more} on {base}",
            hint="take another look, with a script that knows this one: provision compile … --look FILE --look-script",
        )


def _combinations(files: list[str]) -> dict[int, list[str]]:
    """Every way in which some of the files are there, by the sum of their bits."""
    return {number: [f for bit, f in enumerate(files) if number >> bit & 1] for number in range(1 << len(files))}
