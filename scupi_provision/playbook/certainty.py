"""Whether a run certainly needs a variable or a file: only then may its absence be reported before the run."""

from __future__ import annotations

import re

from scupi_provision.playbook.models import Include, Loop, Task
from scupi_provision.playbook.scalars import is_template
from scupi_provision.playbook.templating import NameUse
from scupi_provision.playbook.templating.truth import says_yes

_OPENED = re.compile(r"\{%[-+]?\s*(?:if|for|macro|call|block)\b")
_CLOSED = re.compile(r"\{%[-+]?\s*end(?:if|for|macro|call|block)\b")
_CHOICE = re.compile(r"\b(?:if|and|or)\b")


def is_needed(use: NameUse) -> bool:
    """Whether whoever renders the text of `use` looks at the name: no branch of a statement or expression avoids it."""
    before = use.text[: use.offset]
    if len(_OPENED.findall(before)) > len(_CLOSED.findall(before)):
        return False
    begin = max(before.rfind("{{"), before.rfind("{%"), 0)
    ends = [end for end in (use.text.find(mark, use.offset) for mark in ("}}", "%}")) if end >= 0]
    return _CHOICE.search(use.text[begin : min(ends, default=len(use.text))]) is None


def goes_round(loop: Loop | None) -> bool:
    """Whether a task with this loop has a round for certain."""
    return loop is None or (isinstance(loop.items, list) and bool(loop.items) and not loop.lookup and not loop.flatten)


def ignores_errors(item: Task | Include) -> bool:
    """Whether the author has said that `item` may fail; a template that says so may say otherwise when it runs."""
    flag = item.inherited.ignore_errors
    return flag is not None and not is_template(flag) and says_yes(flag)
