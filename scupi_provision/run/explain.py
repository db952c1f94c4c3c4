"""`provision explain`: every definition of a variable, which one wins for whom, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scupi_provision.errors import InputError, Position
from scupi_provision.events import Event
from scupi_provision.host.facts import FACT_NAMES
from scupi_provision.inventory.models import Host
from scupi_provision.plan.explanation import Explanation
from scupi_provision.plan.magic import magic_variables
from scupi_provision.plan.scope import PlayScope
from scupi_provision.playbook.definitions import items_of_play
from scupi_provision.playbook.models import Inherited, Play, Role, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.playbook.variables import Definition, Layer
from scupi_provision.run.facts import HostFacts, facts
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import Site, load_site
from scupi_provision.source import suggestion
from scupi_provision.values import UnknownValue, UnknownValueError

_WHEN_CONNECTED = UnknownValue("known when connected")
_WHEN_ASKED = UnknownValue("known when a person is asked")


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        variable: Its name.
        host: A pattern of hosts, or None for all of the play.
        play: The number of the play, from 1, or None for all.
        role: Only what tasks of this role see, or None.
        connects: Whether facts are read from the hosts.
    """

    variable: str
    host: str | None = None
    play: int | None = None
    role: str | None = None
    connects: bool = False


def explain(request: RunRequest, question: Question) -> Iterator[Event | Explanation]:
    """Explain the variable for every play and host that is asked for; roles are told apart where they differ.

    Raises:
        InputError: The site is wrong, or nothing defines a variable of this name.
    """
    site = load_site(request, dials=question.connects)
    read: dict[str, Mapping[str, Any]] = {}
    if question.connects:
        for event in facts(request, question.host or "all"):
            if isinstance(event, HostFacts):
                read[event.host] = event.facts
            else:
                yield event
    known: set[str] = set()
    found = False
    for number, play, host in _asked(site, question):
        scope = _scope(site, play, host, read.get(host.label))
        for explanation in _explained(scope, number, question):
            found = True
            yield explanation
        known |= set(scope.store(None, Inherited()).combined())
    if not found:
        raise InputError(f'nothing defines a variable "{question.variable}"', hint=suggestion(question.variable, known))


def _asked(site: Site, question: Question) -> Iterator[tuple[int, Play, Host]]:
    plays = list(enumerate(site.playbook.plays, 1))
    if question.play is not None and not 1 <= question.play <= len(plays):
        raise InputError(f"there is no play {question.play}", hint=f"the playbook has {len(plays)}")
    wanted = {host.name for host in site.inventory.select(question.host)} if question.host else None
    for number, play in plays:
        if question.play in (None, number):
            for host in site.targets(play):
                if wanted is None or host.name in wanted:
                    yield number, play, host


def _scope(site: Site, play: Play, host: Host, read: Mapping[str, Any] | None) -> PlayScope:
    request = site.request
    names = [target.name for target in site.targets(play)]
    magic = magic_variables(
        host,
        site.inventory.groups,
        playbook_dir=str(site.directory),
        inventory_dir=str(request.inventory.parent),
        inventory_file=str(request.inventory),
        ansible_check_mode=True,
        ansible_diff_mode=request.diff,
        ansible_verbosity=request.verbosity,
        ansible_forks=request.forks,
        **dict.fromkeys(("ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch", "play_hosts"), names),
    )
    known = dict.fromkeys(sorted(FACT_NAMES), _WHEN_CONNECTED) if read is None else read
    answers = dict.fromkeys((prompt.name for prompt in play.prompts), _WHEN_ASKED)
    return PlayScope(play, host, known, magic, request.extra, site.directory, answers=answers)


def _explained(scope: PlayScope, number: int, question: Question) -> Iterator[Explanation]:
    """As all tasks see it, then as those roles do to which it is something else."""
    roles = list({role.name: role for role in _roles(scope.play)}.values())
    if question.role is not None:
        if question.role not in {role.name for role in roles}:
            hint = suggestion(question.role, [role.name for role in roles])
            raise InputError(f'play {number} has no role "{question.role}"', hint=hint)
        roles = [role for role in roles if role.name == question.role]
    everybody = _explanation(scope, None, number, question.variable)
    if question.role is None and (everybody.definitions or everybody.later):
        yield everybody
    for role in roles:
        own = _explanation(scope, role, number, question.variable)
        if question.role is not None or own.winner != everybody.winner:
            yield own


def _roles(play: Play) -> Iterator[Role]:
    yield from play.roles
    yield from (placed.item.role for placed in items_of_play(play) if placed.item.role is not None)


def _explanation(scope: PlayScope, role: Role | None, number: int, variable: str) -> Explanation:
    definitions = tuple(scope.store(role, Inherited()).definitions(variable))
    made = Explanation(
        variable,
        scope.host.label,
        scope.play.name,
        number,
        role.name if role else "",
        definitions,
        tuple(_set_by_tasks(scope.play, role, variable)),
    )
    return replace(made, **_rendered(scope, role, definitions[-1])) if definitions else made


def _rendered(scope: PlayScope, role: Role | None, winner: Definition) -> dict[str, Any]:
    where = (role.where if role else None) or scope.play.where
    seen = Task(None, "debug", {}, where, role=role)
    templar: Templar = scope.templar(seen, {})
    try:
        return {"value": templar.render(winner.value)}
    except UnknownValueError as error:
        return {"trouble": error.reason}
    except InputError as error:
        return {"trouble": error.diagnostic.summary}


def _set_by_tasks(play: Play, role: Role | None, variable: str) -> Iterator[Definition]:
    """Definitions by `vars`, `register`, `set_fact` and `include_vars` of tasks: those of the role, or of all roles."""
    seen: set[tuple[Layer, Position | None]] = set()
    for item in (placed.item for placed in items_of_play(play)):
        if role is not None and item.role is not None and item.role.name != role.name:
            continue
        for made in _of_item(item, variable):
            if (made.layer, made.place) not in seen:
                seen.add((made.layer, made.place))
                yield made


def _of_item(item: Any, variable: str) -> Iterator[Definition]:
    owner = str(item.name or "")
    for layer in item.inherited.variables:
        key = next((key for key in layer if key == variable), None)
        if key is not None:
            yield Definition(Layer.TASK_VARS, layer[key], getattr(key, "position", item.where), owner)
    if not isinstance(item, Task):
        return
    if item.register == variable:
        yield Definition(Layer.SET_FACTS, UnknownValue("what the task registers"), item.where, owner)
    if item.module == "set_fact" and variable in item.arguments:
        place = item.argument_positions.get(variable, item.where)
        yield Definition(Layer.SET_FACTS, item.arguments[variable], place, owner)
    if item.module == "include_vars" and item.arguments.get("name") == variable:
        yield Definition(Layer.INCLUDE_VARS, UnknownValue("what the files hold"), item.where, owner)
