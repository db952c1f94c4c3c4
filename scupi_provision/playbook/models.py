"""What a playbook means before any host is known: plays, blocks, tasks, roles, with templates not yet rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.modules.contract import Module
from scupi_provision.values import TemplateText


@dataclass(frozen=True)
class Role:
    """One use of a role in a play.

    Attributes:
        name: The role's name as written.
        directory: Its folder; `files/`, `templates/` and `tasks/` are looked up below it.
        defaults: `defaults/main.yml` (weakest variables), raw values.
        variables: `vars/main.yml`, raw values.
        parameters: Variables given where the role is used, as extra keys of its entry: Ansible's "role params".
        given: `vars:` of its entry: they win over `variables`, and no other role sees them.
        parents: The roles that depend on it, outermost first; it sees their variables.
        handlers: `handlers/main.yml`.
        verify: `verify/main.yml`: the role's proof, run on the hosts named by the play's `verify:`.
        argument_specs: The entry point of `meta/argument_specs.yml` that is used, raw, or {}.
        where: Where it is used.
    """

    name: str
    directory: Path
    defaults: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    parents: tuple[Role, ...] = field(default=(), repr=False)
    handlers: tuple[Task | Include, ...] = ()
    verify: tuple[Item, ...] = ()
    argument_specs: dict[str, Any] = field(default_factory=dict)
    where: Position | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Inherited:
    """Keywords that a play, a block or a role entry hands down to the tasks inside it (Ansible's inheritance).

    `when` accumulates from the outside in (all must hold); `tags` add up; `environment` and `variables` merge, the
    inner one winning; for the rest the innermost value that is not None wins. `parameters` are the `vars` of the
    includes around (they are among `variables` too): Ansible's "include params", which win over set_fact.
    """

    when: tuple[TemplateText | bool, ...] = ()
    tags: tuple[str, ...] = ()
    variables: tuple[dict[str, Any], ...] = ()
    parameters: tuple[dict[str, Any], ...] = ()
    environment: tuple[dict[str, Any], ...] = ()
    ignore_errors: TemplateText | bool | None = None
    no_log: TemplateText | bool | None = None
    check_mode: TemplateText | bool | None = None
    diff: TemplateText | bool | None = None
    module_defaults: tuple[dict[str, dict[str, Any]], ...] = ()
    notify: tuple[TemplateText, ...] = ()
    delegate_to: TemplateText | None = None
    delegate_facts: TemplateText | bool | None = None
    run_once: TemplateText | bool | None = None
    any_errors_fatal: TemplateText | bool | None = None
    ignore_unreachable: TemplateText | bool | None = None
    throttle: TemplateText | int | None = None
    timeout: TemplateText | int | None = None
    debugger: str | None = None
    become: TemplateText | bool | None = None


@dataclass(frozen=True)
class Loop:
    """`loop:`, `with_*` and `loop_control:`. `items` is a raw list or a template that gives one.

    Attributes:
        flatten: `with_items`: after rendering, something that is no list is a list of one, and lists within the list
            are opened, one level.
        lookup: The lookup of a `with_<lookup>`, of which `items` are the terms; "" for `loop` and `with_items`.
        folder: For `with_first_found`: the folder (files, templates, vars) in which files are searched first.
        break_when: Conditions judged after each round; when all hold, no further round is made.
        extended: Whether `ansible_loop` is offered.
        extended_allitems: Whether `ansible_loop.allitems` is.
        pause_s: Seconds between two rounds.
    """

    items: Any
    variable: str = "item"
    index_variable: str | None = None
    label: TemplateText | None = None
    flatten: bool = False
    lookup: str = ""
    folder: str = "files"
    break_when: tuple[TemplateText | bool, ...] = ()
    extended: TemplateText | bool = False
    extended_allitems: TemplateText | bool = True
    pause_s: TemplateText | float = 0


@dataclass(frozen=True)
class Task:
    """One task, its keywords merged with everything it inherits.

    Attributes:
        module: The module's short name as registered (`ansible.builtin.copy` is `copy` here).
        arguments: Raw arguments: source text, lists, mappings. A free-form string is under the key `_raw`.
        inherited: Merged keywords of the play, role, blocks and of the task itself.
        retries: None when nothing was said; with `until`, Ansible's 3 counts then.
        async_s: `async`: seconds that the task may take as a job of its own; None or 0: it is none.
        poll_s: `poll`: seconds between two looks at the job, Ansible's 15 when None; 0: nobody waits for it.
        argument_positions: Where each argument's name stands.
    """

    name: TemplateText | None
    module: str
    arguments: dict[str, Any]
    where: Position
    inherited: Inherited = Inherited()
    role: Role | None = None
    loop: Loop | None = None
    register: str | None = None
    notify: tuple[TemplateText, ...] = ()
    listen: tuple[str, ...] = ()
    changed_when: tuple[TemplateText | bool, ...] = ()
    failed_when: tuple[TemplateText | bool, ...] = ()
    until: tuple[TemplateText | bool, ...] = ()
    retries: int | TemplateText | None = None
    delay: int | TemplateText = 5
    async_s: int | TemplateText | None = None
    poll_s: int | TemplateText | None = None
    argument_positions: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """`block:` with `rescue:` and `always:`. Its keywords are already merged into the tasks inside.

    Plain blocks (without rescue and always) are flattened by the loader and never appear.
    """

    body: tuple[Item, ...]
    rescue: tuple[Item, ...]
    always: tuple[Item, ...]
    where: Position
    name: TemplateText | None = None


@dataclass(frozen=True)
class Include:
    """`include_tasks` or `include_role`: decided, looped and loaded while planning (imports are expanded on loading).

    Attributes:
        target: The file or role, a template.
        load: Gives the tasks of a rendered target and `options`; raises InputError. They inherit what stands above the
            include, and its `vars`, `no_log` and `apply:`; no `when` (it is judged once, here) and no tags of the
            include itself (as in Ansible). Handlers of a role that it loads are in `role.handlers` of its tasks.
        options: Which files of a role are meant, where a template says so (`tasks_from: "{{ … }}"`).
        listen: As a handler's.
    """

    target: TemplateText
    load: Load = field(compare=False, repr=False)
    where: Position
    name: TemplateText | None = None
    inherited: Inherited = Inherited()
    role: Role | None = None
    loop: Loop | None = None

    options: Mapping[str, TemplateText] = field(default_factory=dict)
    listen: tuple[str, ...] = ()

    def tasks(self, text: Callable[[Any], str]) -> tuple[Item, ...]:
        """What is included; `text` renders a template. Raises InputError."""
        return self.load(text(self.target), {name: text(value) for name, value in self.options.items()})


Item = Task | Block | Include
Load = Callable[[str, Mapping[str, str]], tuple[Item, ...]]


@dataclass(frozen=True)
class Play:
    """One play.

    Attributes:
        hosts: The pattern of hosts that are changed.
        verify: Patterns of the hosts on which every role's `verify/` (and `verify_tasks`) runs afterwards.
        variables: `vars:` (and what import_playbook adds), and those `vars_files:` that can be told now; weakest first,
            raw.
        vars_files: The rest of `vars_files:`, from the first on whose name has a template; they win over `variables`.
        tasks: pre_tasks, roles and their dependencies, tasks, post_tasks, in order of running.
        handlers: The play's handlers, then the roles', in order of running.
        roles: Every role used, in order, for their verify tasks and their variables.
        gather_facts: Whether `ansible_facts` is offered; facts are read in the first exchange either way.
        any_errors_fatal: Whether a failure on one host ends the play for all.
        serial: The sizes of the batches (numbers, or "30%"), the last one repeating; () for all hosts at once.
        strategy: "linear" or "free", a template until the play starts.
        order: inventory, reverse_inventory, sorted, reverse_sorted, shuffle.
        max_fail_percentage: 0..100; more failed hosts of a batch end the play.
        force_handlers: Whether notified handlers run on a host that has failed; None where the play does not say.
        prompts: `vars_prompt`.
        gather_subset: As the module `setup` has it.
        login: `connection`, `remote_user` and `port`, as `ansible_connection` and so on: they count where the
            inventory says nothing.
        directory: The folder of the playbook that the play stands in (an imported one has its own).
    """

    name: str
    hosts: TemplateText
    where: Position
    variables: tuple[dict[str, Any], ...] = ()
    tasks: tuple[Item, ...] = ()
    handlers: tuple[Task | Include, ...] = ()
    roles: tuple[Role, ...] = ()
    verify: tuple[TemplateText, ...] = ()
    verify_tasks: tuple[Item, ...] = ()
    tags: tuple[str, ...] = ()
    gather_facts: bool = True
    any_errors_fatal: bool = False
    serial: tuple[TemplateText | int, ...] = ()
    strategy: TemplateText | None = None
    order: TemplateText | None = None
    max_fail_percentage: TemplateText | float | None = None
    force_handlers: TemplateText | bool | None = None
    prompts: tuple[Prompt, ...] = ()
    gather_subset: tuple[TemplateText, ...] = ()
    vars_files: tuple[VarsFile, ...] = ()
    login: dict[str, Any] = field(default_factory=dict)
    directory: Path | None = None


@dataclass(frozen=True)
class VarsFile:
    """One entry of `vars_files`, of which only a run can tell the file.

    Attributes:
        choices: Names of files; the first that exists counts.
        directory: What the names are relative to.
    """

    choices: tuple[TemplateText, ...]
    directory: Path
    where: Position


@dataclass(frozen=True)
class Prompt:
    """One entry of `vars_prompt`: a variable that a person is asked for when the play starts.

    Attributes:
        private: Whether what is typed is not shown.
        confirm: Whether it must be typed twice.
        encrypt: How the answer is hashed (`sha512_crypt`, …), or None.
    """

    name: str
    prompt: TemplateText | None = None
    default: Any = None
    private: bool = True
    confirm: bool = False
    encrypt: str | None = None
    salt: str | None = None
    salt_size: int | None = None
    unsafe: bool = False
    where: Position | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Playbook:
    """A whole file of plays, imports included.

    Attributes:
        modules: The modules that tasks may call, by their registered names.
    """

    path: Path
    plays: tuple[Play, ...]
    modules: Mapping[str, Module] = field(default_factory=dict, compare=False, repr=False)
