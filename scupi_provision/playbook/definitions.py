"""Which variables a playbook defines, and where they can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from scupi_provision.playbook.arguments import VARIABLE
from scupi_provision.playbook.certainty import goes_round, ignores_errors
from scupi_provision.playbook.known import words
from scupi_provision.playbook.models import Block, Include, Item, Loop, Play, Playbook, Role, Task
from scupi_provision.playbook.scalars import is_template

MAGIC = words(
    """
    ansible_check_mode ansible_diff_mode ansible_failed_result ansible_failed_task ansible_facts ansible_forks
    ansible_limit ansible_managed ansible_play_batch ansible_play_hosts ansible_play_hosts_all ansible_play_name
    ansible_parent_role_names ansible_parent_role_paths
    ansible_play_role_names ansible_playbook_python ansible_role_name ansible_role_names ansible_run_tags
    ansible_search_path ansible_skip_tags ansible_verbosity ansible_version group_names groups hostvars
    inventory_dir inventory_file inventory_hostname inventory_hostname_short omit play_hosts playbook_dir
    role_name role_names role_path template_destpath template_fullpath template_path template_run_date vars
    """
)
"""Variables that are always there: those of provision itself."""


_DEFINING = frozenset({"set_fact", "add_host"})
"""Modules whose arguments are variables."""


@dataclass(frozen=True)
class Placed:
    """A task or an include with what surrounds it.

    Attributes:
        loop_variables: Those of the includes that lead to it.
        certain: Whether a run certainly ends with its failure: every run comes to it (no include with a condition or a
            loop is around it, and it is no rescue), and nothing awaits the failure (`ignore_errors`, a rescue).
    """

    item: Task | Include
    loop_variables: frozenset[str]
    certain: bool = True


def every_item(
    items: Iterable[Item],
    loop_variables: frozenset[str] = frozenset(),
    within: tuple[object, ...] = (),
    *,
    certain: bool = True,
) -> Iterator[Placed]:
    """Every task and include, with blocks opened, and includes followed when their target is known already."""
    for item in items:
        if isinstance(item, Block):
            yield from every_item(item.body, loop_variables, within, certain=certain and not item.rescue)
            yield from every_item(item.rescue, loop_variables, within, certain=False)
            yield from every_item(item.always, loop_variables, within, certain=certain)
            continue
        certain_here = certain and "never" not in item.inherited.tags and not ignores_errors(item)
        yield Placed(item, loop_variables, certain_here)
        if isinstance(item, Include) and is_told(item) and item.where not in within:
            inside = loop_variables | loop_names(item.loop)
            certain_inside = certain_here and not item.inherited.when and goes_round(item.loop)
            included = item.load(str(item.target), {})
            yield from every_item(included, inside, (*within, item.where), certain=certain_inside)


def is_told(include: Include) -> bool:
    """Whether it is known already what is included."""
    return not is_template(include.target) and not include.options


def items_of_play(play: Play) -> list[Placed]:
    """Every task and include of a play: tasks, handlers, and what verifies them."""
    proofs = chain.from_iterable(role.verify for role in play.roles)
    own = every_item(chain(play.tasks, play.verify_tasks, proofs))
    return [*own, *every_item(play.handlers, certain=False)]


def loop_names(loop: Loop | None) -> frozenset[str]:
    """The variables that a loop sets."""
    if loop is None:
        return frozenset()
    return frozenset({loop.variable, loop.index_variable or loop.variable, "ansible_loop", "ansible_loop_var"})


def role_names(role: Role | None) -> frozenset[str]:
    """The variables that a role brings, and those that it sees of the roles that depend on it."""
    if role is None:
        return frozenset()
    layers = [layer for r in (role, *role.parents) for layer in (r.defaults, r.variables, r.given, r.parameters)]
    return frozenset(str(name) for layer in layers for name in layer)


def required_options(role: Role | None) -> frozenset[str]:
    """What a role's argument_specs require: their absence is reported once, where the role is used."""
    options = role.argument_specs.get("options") if role is not None else None
    if not isinstance(options, dict):
        return frozenset()
    return frozenset(str(name) for name, option in options.items() if is_required(option))


def is_required(option: object) -> bool:
    """Whether one entry of argument_specs says `required: true`."""
    return isinstance(option, dict) and str(option.get("required", "")).lower() in {"true", "yes", "on"}


def own_names(placed: Placed) -> frozenset[str]:
    """The variables that only this task sees."""
    item = placed.item
    handed = (str(name) for layer in item.inherited.variables for name in layer)
    return frozenset(handed) | loop_names(item.loop) | placed.loop_variables | role_names(item.role)


def lasting_names(placed: Iterable[Placed]) -> tuple[frozenset[str], bool]:
    """What tasks leave behind (`register`, `set_fact`, variables of `add_host`), and whether there may be more."""
    names: set[str] = set()
    unseen = False
    for item in (placed_item.item for placed_item in placed):
        if not isinstance(item, Task):
            continue
        unseen |= _is_open(item)
        if item.register is not None:
            names.add(item.register)
        if item.module in _DEFINING:
            names |= {str(name) for name in item.arguments} - {"cacheable"}
        if item.module == "include_vars" and "name" in item.arguments:
            names.add(str(item.arguments["name"]))
    return frozenset(names), unseen


def defines_unseen(play: Play, placed: Iterable[Placed]) -> bool:
    """Whether `play` may define variables whose names only a run can tell."""
    return bool(play.vars_files) or any(_is_open(placed_item.item) for placed_item in placed)


def _is_open(item: Task | Include) -> bool:
    if isinstance(item, Include):
        return not is_told(item)
    if item.module == "include_vars":
        return "name" not in item.arguments
    if item.module == "group_by":
        return True  # the variables of a group that has no host yet
    return item.module in _DEFINING and any("{{" in name or name == VARIABLE for name in item.arguments)


def play_names(play: Play) -> frozenset[str]:
    """The variables that every task of a play sees."""
    own = frozenset(str(name) for layer in play.variables for name in layer)
    asked = frozenset(prompt.name for prompt in play.prompts)
    return own.union(asked, *(role_names(role) for role in play.roles))


def placed_by_play(playbook: Playbook) -> list[tuple[Play, list[Placed]]]:
    """Each play with every task and include of it."""
    return [(play, items_of_play(play)) for play in playbook.plays]
