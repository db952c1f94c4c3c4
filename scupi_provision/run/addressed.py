"""Whom a play is for: its `hosts:` with templates rendered, and what is said when nothing in the inventory is meant."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.errors import Diagnostic
from scupi_provision.events import Notice
from scupi_provision.inventory.inventory import Inventory, Selection
from scupi_provision.playbook.models import Play
from scupi_provision.playbook.templating import Templar
from scupi_provision.values import SourceText


def addressed(play: Play, inventory: Inventory, extra: Mapping[str, Any], limit: str | None) -> Selection:
    """The hosts of `play`. As in Ansible, a name that nothing has is told of, and is no error.

    Raises:
        InputError: The pattern cannot be rendered or understood, or the limit names nothing.
    """
    return inventory.matching(_pattern(play, inventory, extra), limit)


def _pattern(play: Play, inventory: Inventory, extra: Mapping[str, Any]) -> str:
    """No host is known yet, so a template sees `--extra-vars`, the play's own variables, and `groups`."""
    written: Mapping[str, Any] = ChainMap(
        dict(extra), *map(dict, reversed(play.variables)), {"groups": inventory.groups}
    )
    rendered = Templar(written).render(play.hosts)
    if rendered is play.hosts:
        return SourceText(play.hosts, play.hosts.position)
    text = ",".join(map(str, rendered)) if isinstance(rendered, list | tuple) else str(rendered)
    return SourceText(text, play.hosts.position)


def missed(play: Play, selected: Selection) -> Iterator[Notice]:
    """What a person should know when a play is for nobody, or names somebody who is not there."""
    for problem in selected.unknown:
        yield Notice(f"{problem.summary}: {_where(problem)}{_advice(problem)}", level="warning")
    if not selected.hosts:
        yield Notice(f'the play "{play.name}" is skipped: no host of this run is meant by it')


def _where(problem: Diagnostic) -> str:
    return f"{problem.where} is for nobody by that name" if problem.where else "it stands for nobody"


def _advice(problem: Diagnostic) -> str:
    return f" ({problem.hint})" if problem.hint.startswith("did you mean") else ""
