"""The lockout guard: a change of how an account logs in stands only when a fresh login over every hop works after it.

The host has kept what was there, and puts it back by itself when it hears nothing (`shell/guard.sh`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from scupi_provision.errors import Diagnostic, LockedError
from scupi_provision.events import Event, Notice, Outcome, TaskFinished, TaskLabel
from scupi_provision.plan.guarded import with_guards
from scupi_provision.plan.models import Step
from scupi_provision.plan.rounds import from_home
from scupi_provision.run.fresh_login import FreshLogin, Trouble, fresh_login
from scupi_provision.run.greeting import PATIENCE_S
from scupi_provision.run.session import Session
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.guarding import GUARD_SECONDS, judge_guard, look_at_guards
from scupi_provision.shell.replies import GuardReply, Reply, StepDone, StepFailed
from scupi_provision.transport.base import Nobody, Person, Route
from scupi_provision.transport.shared_hops import SharedHops

_LABEL = TaskLabel("log in anew", "guard")
_NUMBERS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Way:
    """A login that has to work after a change: to a host, or to one on the way to it.

    Attributes:
        name: The host's name for messages.
        route: The hops; empty when it is this machine.
        connection: How it is reached.
        limit_s: How long its login files may take.
    """

    name: str
    route: Route
    connection: Literal["ssh", "local"] = "ssh"
    limit_s: float = PATIENCE_S


@dataclass
class LoginGuard:
    """Judges what a run has changed on one host.

    Attributes:
        label: The host's, for events.
        home: The account's home there.
        session: The run's own session on the host.
        ways: Every login that has to work.
        person: Who answers what hops ask.
        seconds: How long the host waits for the verdict; 0 when the guard is off.
    """

    label: str
    home: str
    session: Session
    ways: Sequence[Way]
    person: Person = field(default_factory=Nobody)
    seconds: int = GUARD_SECONDS
    _guarded: frozenset[int] = frozenset()
    _touched: bool = False
    _opened: bool = False

    def over(self, stream: Sequence[Turn], steps: Sequence[Step] = ()) -> Generator[Notice, None, list[Turn]]:
        """The stream as the host gets it: with what must be kept marked, unless the guard is off."""
        marked = with_guards(stream, steps, self.home, self.seconds)
        self._guarded = frozenset(turn.number for turn in marked if turn.guarded)
        self._touched = self._opened = False
        if self._guarded and not self.seconds:
            self._guarded = frozenset()
            text = "the lockout guard is off (provision_guard_seconds: 0): files that decide about logins are changed"
            yield Notice(text, self.label, "warning")
            return list(stream)
        return marked

    def watch(self, reply: Reply) -> None:
        """Take note of whether a guarded step has done anything."""
        number = getattr(reply, "step", None)
        if number in self._guarded:
            self._opened = True
            self._touched |= isinstance(reply, StepDone | StepFailed)

    def judge(self) -> Generator[Event, None, bool]:
        """Log in anew over every hop where the stream has changed something; whether the change stands.

        Raises:
            UnreachableError: The run's own session is gone; the host takes the change back by itself.
        """
        if not self._opened:
            return True
        wrong = self._wrong() if self._touched else {}
        if not wrong:
            replies = self.session.guard(judge_guard("keep"))
            if any(reply.what == "kept" for reply in replies) or not replies:
                if self._touched:
                    names = " and ".join(dict.fromkeys(way.name for way in self.ways))
                    yield Notice(f"a fresh login still works on {names} after this change", self.label)
                return True
            self.session.guard(judge_guard("drop"))
            yield self._taken_back(replies, f"no verdict came within {self.seconds} s")
            return False
        replies = self.session.guard(judge_guard("back", [login.mark for login in wrong.values() if login.mark]))
        still = self._tried(tuple(wrong))
        if all(_is_as_bad(still[way], found) for way, found in wrong.items()):
            again = self.session.guard(judge_guard("forth"))
            yield from self._not_to_blame(again, wrong)
            return True
        self.session.guard(judge_guard("drop"))
        to_blame = [found for way, found in wrong.items() if not _is_as_bad(still[way], found)]
        yield self._taken_back(replies, max(to_blame, key=lambda found: found.trouble).problem)
        return False

    def _wrong(self) -> dict[Way, FreshLogin]:
        """The logins that do not work as they should."""
        found = self._tried(self.ways)
        return {way: login for way, login in found.items() if login.trouble and not self._is_known(way, login)}

    def _tried(self, ways: Sequence[Way]) -> dict[Way, FreshLogin]:
        """A fresh login on each, all at once; a hop that several go through is opened once, for one code."""
        hops: SharedHops[Any] = SharedHops()
        with ThreadPoolExecutor(max_workers=max(1, len(ways))) as pool:
            return dict(zip(ways, pool.map(lambda way: _fresh_login_on(way, self.person, hops), ways), strict=True))

    def _is_known(self, way: Way, login: FreshLogin) -> bool:
        """Whether all that is wrong is noise that the run's own login heard before the change."""
        heard = _lines(self.session.noise)
        return login.trouble is Trouble.NOISY and way is self.ways[0] and _lines(login.noise) <= heard

    def _taken_back(self, replies: Sequence[GuardReply], problem: str) -> TaskFinished:
        back = ", ".join(from_home(reply.path, self.home) for reply in replies if reply.what == "back") or "nothing"
        left = [from_home(reply.path, self.home) for reply in replies if reply.what in {"left", "lost"}]
        others = f"; left as it is now, because it was changed since: {', '.join(left)}" if left else ""
        summary = f"a fresh login does not work any more, so the change was taken back: {back}"
        hint = "correct what the tasks write there, and run again: everything else that was done stands"
        error = Diagnostic(f"{summary}{others}", hint=hint)
        return TaskFinished(self.label, _LABEL, Outcome.FAILED, problem, error=error)

    def _not_to_blame(self, replies: Sequence[GuardReply], wrong: dict[Way, FreshLogin]) -> Iterator[Event]:
        worst = max(wrong.values(), key=lambda found: found.trouble)
        text = f"a fresh login does not work as it should, with the change and without it: {worst.problem}"
        yield Notice(f"{text}; the change was kept", self.label, "warning")
        lost = [from_home(reply.path, self.home) for reply in replies if reply.what == "lost"]
        if lost:
            yield Notice(f"could not be put in again: {', '.join(lost)}; run again", self.label, "warning")


def _fresh_login_on(way: Way, person: Person, hops: SharedHops[Any]) -> FreshLogin:
    """A fresh login on `way`, within the time that its login files may take.

    One that does not come about is tried once more: a network that stumbles is no reason to take anything back.
    """
    found = fresh_login(way.route, person, connection=way.connection, limit_s=way.limit_s, hops=hops)
    if found.trouble is Trouble.NO_LOGIN:
        found = fresh_login(way.route, person, connection=way.connection, limit_s=way.limit_s, hops=hops)
    return found


def tell_leftovers(session: Session, label: str, home: str, *, finish: bool) -> Iterator[Event]:
    """What earlier runs have changed without a verdict; with `finish` their guards are brought to an end.

    To be called where the facts say that something is there.

    Raises:
        LockedError: Another run has changed something and waits for its verdict.
    """
    replies = session.guard(look_at_guards(finish=finish))
    if any(reply.what == "busy" for reply in replies):
        detail = "it has changed how the account logs in, and waits for a fresh login to work"
        hint = "wait for it; one that has lost its connection is over after provision_guard_seconds"
        raise LockedError("another run is at work on this account", detail=detail, hint=hint)
    words = {"back": "taken back", "left": "changed since, so it was left", "lost": "could not be put back"}
    told = [f"{from_home(reply.path, home)} {words[reply.what]}" for reply in replies if reply.what in words]
    if told:
        text = f"an earlier run ended before a fresh login had shown that it works: {', '.join(told)}"
        yield Notice(text, label, "warning")


def _lines(noise: str) -> set[str]:
    """Lines of noise, without what differs from login to login: times, counts, numbers of processes."""
    return {_NUMBERS.sub("0", line.strip()) for line in noise.splitlines() if line.strip()}


def _is_as_bad(before: FreshLogin, after: FreshLogin) -> bool:
    """Whether the login was no better `before` the change than `after` it."""
    if before.trouble is Trouble.NOISY is after.trouble:
        return _lines(after.noise) <= _lines(before.noise)
    return before.trouble >= after.trouble
