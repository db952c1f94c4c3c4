"""The variables of one play on one host, as they stand at each task."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.inventory.models import Host
from scupi_provision.plan.company import Company
from scupi_provision.plan.layers import before_tasks, play_files
from scupi_provision.plan.learnt import Found, Learnt
from scupi_provision.plan.magic import fact_variables, magic_variables, play_magic, role_magic
from scupi_provision.playbook.files import search_folders
from scupi_provision.playbook.models import Include, Inherited, Play, Role, Task
from scupi_provision.playbook.site import bundled_site
from scupi_provision.playbook.templating import Templar
from scupi_provision.playbook.variables import Entry, Layer, VariableStore

__all__ = ["PlayScope", "fact_variables", "magic_variables"]


@dataclass
class PlayScope:
    """Composes what a task sees. `dynamic` (registered values, set_fact) grows while the play is walked.

    Attributes:
        host: The host that the tasks run on.
        facts: `ansible_facts` of the host.
        magic: `groups`, `hostvars`, … that do not change during the play.
        extra: `--extra-vars`, the strongest of the user's layers.
        playbook_directory: Where `files/` and `templates/` of the playbook are.
        inherited_dynamic: What the host has learnt in earlier plays (or the applied host, for tasks that verify on
            another one): a `Learnt`, or a mapping that counts as registered.
        company: The other hosts of the play, as far as this one can see them.
        answers: What a person has said to `vars_prompt`.
        included: What include_vars has read.
        gathered: Facts that modules have brought, beside those of the first reading.
    """

    play: Play
    host: Host
    facts: Mapping[str, Any]
    magic: Mapping[str, Any]
    extra: Mapping[str, Any]
    playbook_directory: Path
    inherited_dynamic: Mapping[str, Any] = field(default_factory=dict)
    dynamic: dict[str, Any] = field(default_factory=dict)
    company: Company = field(default_factory=Company)
    answers: Mapping[str, Any] = field(default_factory=dict)
    included: dict[str, Any] = field(default_factory=dict)
    gathered: dict[str, Any] = field(default_factory=dict)
    _bases: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _roles: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    _folders: dict[tuple[int, str], tuple[Path, ...]] = field(default_factory=dict)

    def templar(self, item: Task | Include, local: Mapping[str, Any]) -> Templar:
        """A Templar with everything that `item` sees; `local` holds loop variables."""
        role, inherited = item.role, item.inherited
        folders = self._search_folders(item)
        shown = [str(folder) for folder in folders if folder != bundled_site()]  # whose files are ours, not the site's
        own = {"ansible_search_path": shown, "environment": list(inherited.environment)}
        before = Learnt.of(self.inherited_dynamic)
        strongest_first: tuple[Mapping[str, Any], ...] = (
            local,
            own,
            self._role_magic(role),
            self.magic,
            self.extra,
            *reversed(inherited.parameters),
            *(one.parameters for one in reversed(_line(role)) if one.parameters),
            self.dynamic,
            before,
            self.included,
            before.included,
            *reversed(inherited.variables),
            self._base(role),
        )
        return Templar(ChainMap(*strongest_first), search_paths=folders)  # type: ignore[arg-type]

    def below_extra(self, local: Mapping[str, Any]) -> dict[str, Any]:
        """What tasks inside of an include see of its loop's variables: as in Ansible, `--extra-vars` win there."""
        return {name: value for name, value in local.items() if name not in self.extra}

    def learn(self, module: str, found: Mapping[str, Any]) -> None:
        """Take what a task of `module` has found: the module says how strong it is."""
        by_strength = Found.of(module, found)
        self.included.update(by_strength.included)
        self.dynamic.update(by_strength.registered)
        if by_strength.gathered:
            self.gathered.update(by_strength.gathered)
            self._bases.clear()

    def forget_facts(self) -> None:
        """The host's facts are not there any more (`meta: clear_facts`)."""
        before = Learnt.of(self.inherited_dynamic)
        self.facts, self.inherited_dynamic = {}, Learnt(before, included=before.included, gathered={})
        self.gathered.clear()
        self._bases.clear()

    def learnt(self) -> Learnt:
        """Everything that later plays on this host shall see."""
        before = Learnt.of(self.inherited_dynamic)
        return Learnt(
            {**before, **self.dynamic},
            included={**before.included, **self.included},
            gathered={**before.gathered, **self.gathered},
        )

    def store(self, role: Role | None, inherited: Inherited) -> VariableStore:
        """Every layer that can be told of a task, for people who ask where a variable comes from."""
        return VariableStore([*self._before(role), *self._of_task(role, inherited)])

    def _of_task(self, role: Role | None, inherited: Inherited) -> Iterator[Entry]:
        before = Learnt.of(self.inherited_dynamic)
        yield from (Entry(Layer.TASK_VARS, mapping) for mapping in inherited.variables)
        yield Entry(Layer.INCLUDE_VARS, {**before.included, **self.included})
        yield Entry(Layer.SET_FACTS, {**before, **self.dynamic})
        yield from (Entry(Layer.ROLE_PARAMETERS, one.parameters, one.where, one.name) for one in _line(role))
        yield from (Entry(Layer.INCLUDE_PARAMETERS, mapping) for mapping in inherited.parameters)
        yield Entry(Layer.EXTRA_VARS, self.extra)
        yield Entry(Layer.MAGIC, {**self.magic, **self._role_magic(role)})

    def _before(self, role: Role | None) -> list[Entry]:
        """What stands before any task is looked at, `vars_files` that a template names included."""
        facts = {**self.facts, **Learnt.of(self.inherited_dynamic).gathered, **self.gathered}
        entries = [*before_tasks(self.play, self.host, role, fact_variables(facts), self.answers)]
        if self.play.vars_files:
            below = VariableStore(entry for entry in entries if entry.layer <= Layer.PLAY_VARS_FILES).combined()
            templar = Templar(ChainMap(self.magic, self.extra, below))  # type: ignore[arg-type]
            entries += play_files(self.play, templar)
        return entries

    def _base(self, role: Role | None) -> Mapping[str, Any]:
        if id(role) not in self._bases:
            self._bases[id(role)] = VariableStore(self._before(role)).combined()
        return self._bases[id(role)]

    def _role_magic(self, role: Role | None) -> Mapping[str, Any]:
        if id(role) not in self._roles:
            self._roles[id(role)] = {**play_magic(self.play), **role_magic(role)}
        return self._roles[id(role)]

    def _search_folders(self, item: Task | Include) -> tuple[Path, ...]:
        key = (id(item.role), item.where.file)
        if key not in self._folders:
            self._folders[key] = search_folders(item.role, Path(item.where.file), self.playbook_directory)
        return self._folders[key]


def _line(role: Role | None) -> tuple[Role, ...]:
    """The roles that depend on `role`, outermost first, and itself."""
    return (*role.parents, role) if role is not None else ()
