"""What becomes of each path in a plan as a whole: by it a script knows what it, or an earlier run of it, has done."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from scupi_provision.plan.models import Step
from scupi_provision.run.compiling.assumed import is_in
from scupi_provision.shell.actions import Action, Extract, Link, Mkdir, Run, WriteFile
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.standalone import ANYTHING, left_by, state_of
from scupi_provision.shell.words import words


@dataclass
class Chains:
    """The states that the actions of a plan leave behind, by path, in order.

    Attributes:
        made: Directories that the plan makes, by path: whoever needs one may find that it was not made this time.
        links: Paths that the plan makes links.
    """

    steps: Sequence[Step]
    made: dict[str, Mkdir] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    _left: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    _opaque: list[tuple[int, str]] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        actions = [action for step in self.steps for action in step.actions]
        for number, action in enumerate(actions):
            self._places[id(action)] = number
            state, path = left_by(action), getattr(action, "path", None)
            if state is not None and path is not None:
                self._left.setdefault(path, []).append((number, state))
            if isinstance(action, WriteFile) and action.backup is not None:
                self._opaque.append((number, action.backup))
            self._opaque += [(number, root) for root in _written(action)]
            if isinstance(action, Link):
                self.links.add(action.path)
            if isinstance(action, Mkdir):
                self.made.setdefault(action.path, action)

    def after(self, action: Action, path: str) -> tuple[str, ...]:
        """The states in which `path` may be found when `action` and more of the plan has been done."""
        return self._since(self._places[id(action)] + 1, path)

    def ever(self, path: str) -> tuple[str, ...]:
        """The states in which any action of the plan may leave `path`."""
        return self._since(0, path)

    def rest(self, path: str, entry: Entry) -> str:
        """The command that looks whether `path` is as it was, or as the plan leaves it; "" where programs write."""
        later = self.ever(path)
        above = Entry(Kind.DIRECTORY)  # of which nothing was assumed but that it is there
        # Below a link, a path is another name of something: it is there exactly when the link is.
        alias = any(path != link and is_in(path, link) for link in self.links)
        if entry == above or alias or set(ANYTHING) <= set(later):
            return ""
        return f"s_rests {words(path, state_of(entry), *later)}"

    def touches(self, path: str) -> bool:
        """Whether the plan changes what is at `path`."""
        return path in self._left or any(is_in(path, root) for _, root in self._opaque)

    def planned(self) -> list[str]:
        """Every path that an action is about."""
        return list(self._left)

    def needed(self, action: Action) -> Mkdir | None:
        """The directory that has to be there before `action`, when it is this plan that makes it."""
        path = getattr(action, "path", None)
        made = self.made.get(posixpath.dirname(path)) if path else None
        return made if made is not None and made is not action else None

    def _since(self, number: int, path: str) -> tuple[str, ...]:
        states = [state for at, state in self._left.get(path, []) if at >= number]
        # A program that may write anywhere is not expected to write here: where it does, the script stops.
        if any(at >= number and is_in(path, root) for at, root in self._opaque):
            states += ANYTHING
        return tuple(dict.fromkeys(states))


def _written(action: Action) -> tuple[str, ...]:
    if isinstance(action, Run):
        return (*(action.writes or ()), *action.creates)
    return (action.directory,) if isinstance(action, Extract) else ()
