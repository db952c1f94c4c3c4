"""What somebody asks for: one frozen value per run, however it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.plan.tags import TagSelection
from scupi_provision.transport.base import Nobody, Person


@dataclass(frozen=True)
class RunRequest:
    """A run of a site.

    Attributes:
        playbook: The playbook's file.
        inventory: The inventory: a file, a folder, or hosts with commas between them; the first that was named.
        extra: `--extra-vars`, parsed.
        limit: A host pattern that narrows every play, or None.
        tags: Which tasks take part.
        diff: Whether contents of changed files are read and shown.
        verbosity: How many `-v` were given.
        verify_again: Whether checks run although their last proof still stands.
        stand_ins: What in this run is not the real thing (the lab's mirror, no GPU).
        known_hosts: The files of trusted host keys where the inventory names none.
        new_keys: The file for host keys that `person` trusts in this run; None when no new ones are trusted.
        lock: The lock that says what is installed, or None when tasks choose for themselves.
        bundle: The one file from which everything comes, its lock included, or None.
        more_inventories: The others, in order; what they say wins over those before them.
        start_at_task: The name, or a pattern for it, of the task before which nothing is done; None: from the start.
        force_handlers: Whether notified handlers run on failed hosts where a play does not say.
        login: How hosts are entered where neither the inventory nor the play says, as variables (`ansible_user` …).
        forks: How many hosts are opened at the same time.
        person: Who can be asked for passphrases, codes and trust; nobody in a run that nobody watches.
    """

    playbook: Path
    inventory: Path
    extra: dict[str, Any] = field(default_factory=dict)
    limit: str | None = None
    tags: TagSelection = field(default_factory=TagSelection)
    diff: bool = False
    verbosity: int = 0
    verify_again: bool = False
    stand_ins: tuple[str, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    new_keys: Path | None = None
    lock: Path | None = None
    bundle: Path | None = None
    person: Person = field(default_factory=Nobody)
    more_inventories: tuple[Path, ...] = ()
    start_at_task: str | None = None
    force_handlers: bool = False
    login: dict[str, str] = field(default_factory=dict)
    forks: int = 5  # Ansible's; sshd drops logins at random from the tenth unfinished one on (MaxStartups)
