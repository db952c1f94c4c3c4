"""The parts of a compiled script put together: what it rests on, its steps, its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scupi_provision.plan.models import StepKey
from scupi_provision.shell.guarding import Guarded, guard_words
from scupi_provision.shell.standalone import standalone_guard, standalone_runtime
from scupi_provision.shell.words import word, words


@dataclass(frozen=True)
class StepText:
    """One step as a script has it.

    Attributes:
        label: What people call it.
        body: Its commands, joined by `&&`.
        ignored: Whether the script goes on when it fails.
        told: Whether doing it counts as a change.
        calls: Handlers that are called when it changed something.
        guarded: What it may change that decides about logins.
    """

    label: str
    body: str
    ignored: bool = False
    told: bool = True
    calls: tuple[StepKey, ...] = ()
    guarded: tuple[Guarded, ...] = ()


@dataclass(frozen=True)
class Variant:
    """The script as it is for an account that has some of the user's files and not the others.

    Attributes:
        checks: What it rests on, one command each.
        steps: In order.
        refusal: Why no script can do it for such an account, or "".
    """

    checks: tuple[str, ...] = ()
    steps: Mapping[StepKey, StepText] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True)
class CheckText:
    """One check of a verify host: its label, its commands, and whether its failure is ignored."""

    label: str
    commands: tuple[str, ...]
    ignored: bool = False


@dataclass(frozen=True)
class Witness:
    """A verify host.

    Attributes:
        base: Its name.
        ssh: How to get there from the applied host, as arguments of ssh; None when it is the applied host itself.
        facts: Commands that compare what the script was made for.
        checks: In order.
        unproved: What its checks claim that the script cannot judge.
    """

    base: str
    ssh: tuple[str, ...] | None
    facts: tuple[str, ...] = ()
    checks: tuple[CheckText, ...] = ()
    unproved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """Everything that goes into one script.

    Attributes:
        title: Its first line to people.
        owner: Who holds the lock, in words.
        name: What the file is called, for messages.
        advice: What to do when the account is not as the script takes it to be.
        facts: Commands that compare the host with what the script was made for.
        theirs: Files of the user's that make the variants: the first is bit 1, the next bit 2.
        variants: By number: the sum of the bits of the files that are there.
    """

    title: str
    owner: str
    name: str
    advice: str
    facts: tuple[str, ...]
    theirs: tuple[str, ...]
    variants: Mapping[int, Variant]
    witnesses: tuple[Witness, ...] = ()
    _numbers: dict[StepKey, int] = field(default_factory=dict)

    def text(self) -> str:
        """The program, to be sealed."""
        # Whoever holds the lock names the run, so that other hosts of the same one know that they may wait.
        parts = [
            standalone_runtime(),
            f"S_ADVICE={word(self.advice)} S_NAME={word(self.name)} S_VARIANT=0 s_facts=$P_NL\n",
            "case $S_ROLE in\napply) ;;\n",
            *(self._role(witness) for witness in self.witnesses),
            '*) s_print "it takes no word but: verify"; exit 2 ;;\nesac\n',
            f"s_print {word(self.title)}\np_facts\n",
            self._guard(),
            *(f"{fact}\n" for fact in self.facts),
            *(f"s_theirs {word(path)} {1 << bit}\n" for bit, path in enumerate(self.theirs)),
            self._checks(),
            "p_open_run\n",
            f'[ -z "$P_STOP" ] && p_lock {word(self.owner)}" run $P_RUN_OF)" || {{ p_close_run; exit "$S_CODE"; }}\n',
            *self._steps(),
            "s_leave\n",
            *(self._proof(witness) for witness in self.witnesses),
            'exit "$S_CODE"\n',
        ]
        return "".join(parts)

    def _guard(self) -> str:
        """The lockout guard, where there is something to guard; what dead runs have left of it comes to its end."""
        if not any(step.guarded for variant in self.variants.values() for step in variant.steps.values()):
            return ""
        return f"{standalone_guard()}s_orphans\n"

    def _checks(self) -> str:
        return _cases([(number, _begin(variant)) for number, variant in self.variants.items()])

    # --- steps --------------------------------------------------------------------------------------------------------

    def _steps(self) -> Iterable[str]:
        keys = _merged([list(variant.steps) for variant in self.variants.values()])
        self._numbers.update({key: number for number, key in enumerate(keys, 1)})
        called = {key for variant in self.variants.values() for step in variant.steps.values() for key in step.calls}
        for key in keys:
            cases = [(n, self._step(key, v.steps[key], called)) for n, v in self.variants.items() if key in v.steps]
            yield _cases(cases, whole=len(cases) == len(self.variants))

    def _step(self, key: StepKey, step: StepText, called: set[StepKey]) -> str:
        number = self._numbers[key]
        told = "" if step.told else "S_NEWS=''\n  "
        if step.guarded:
            told += f"S_KEEP={word(guard_words(step.guarded))}\n  "
        calls = "".join(f"S_CALL_{self._numbers[handler]}=yes " for handler in step.calls)
        after = f'[ -z "$S_DONE" ] || {calls.rstrip()}\n' if calls else ""
        text = (
            f"if s_step {number} {word(step.label)}; then\n  {told}{step.body}\n"
            f"  s_close $? {word('yes' if step.ignored else '')}\n  {after}fi\n"
        )
        if key not in called:
            return text
        return f'if [ -n "${{S_CALL_{number}-}}" ]; then\n{text}fi\n'

    # --- proof --------------------------------------------------------------------------------------------------------

    def _role(self, witness: Witness) -> str:
        role = self._role_name(witness)
        checks = "".join(map(_check, enumerate(witness.checks, 1)))
        facts = "".join(f"{fact}\n" for fact in witness.facts)
        begin = f"s_print {word(f'checks on {witness.base}')}\n"
        if facts:
            facts = f"p_facts\n{facts}"
        unproved = [f"s_print {word(f'  not proved by this script: {claim}')}\n" for claim in witness.unproved]
        end = f"s_sum {word(witness.base)}\n{''.join(unproved)}"
        return f'{role})\n{begin}{facts}p_open_run\n[ -z "$P_STOP" ] || exit 1\n{checks}{end}exit 0 ;;\n'

    def _role_name(self, witness: Witness) -> str:
        return "verify" if len(self.witnesses) == 1 else f"verify-{witness.base}"

    def _proof(self, witness: Witness) -> str:
        role = self._role_name(witness)
        if witness.ssh is None:
            return f'(S_ROLE={role}; eval "$P_TEXT") || S_CODE=$?\n'
        return f"s_elsewhere {words(role, witness.base, *witness.ssh)}\n"


def _begin(variant: Variant) -> str:
    """What the account has to be like, or why a script cannot do it for this one."""
    if variant.refusal:
        return f"P_WHY={word(variant.refusal)}; s_refuse"
    return "\n".join(f"{check} || s_refuse" for check in variant.checks)


def _check(numbered: tuple[int, CheckText]) -> str:
    number, check = numbered
    commands = "\n  ".join(check.commands)
    ignored = word("yes" if check.ignored else "")
    return f"if s_ask_about {number} {word(check.label)}; then\n  {commands}\n  s_judge {ignored}\nfi\n"


def _cases(cases: Sequence[tuple[int, str]], *, whole: bool = True) -> str:
    """The text for each variant, once where they agree."""
    by_text: dict[str, list[int]] = {}
    for number, text in cases:
        by_text.setdefault(text, []).append(number)
    if whole and len(by_text) == 1:
        (text,) = by_text
        return f"{text}\n" if text and not text.endswith("\n") else text
    branches = (f"{'|'.join(map(str, numbers))})\n{text}\n;;\n" for text, numbers in by_text.items() if text)
    return f"case $S_VARIANT in\n{''.join(branches)}esac\n"


def _merged(orders: Sequence[Sequence[StepKey]]) -> list[StepKey]:
    """All keys, each once, in an order that agrees with every one of `orders`."""
    merged: list[StepKey] = []
    for order in orders:
        place = 0
        for key in order:
            if key in merged:
                place = merged.index(key) + 1
            else:
                merged.insert(place, key)
                place += 1
    return merged
