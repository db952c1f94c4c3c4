"""Modules as a compiler needs them: what only a host can tell is said to be unknown, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.host.snapshot import NeedsReadingError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, Result
from scupi_provision.run.compiling.assumed import first_untold, is_in
from scupi_provision.run.compiling.unseen import UnseenHome
from scupi_provision.values import UnknownValueError

_EDITS = frozenset({"blockinfile", "lineinfile"})
_LOOKS = frozenset({"stat", "slurp"})
_ENDS = frozenset({None, "EOF", "BOF"})


@dataclass
class Watch:
    """What the tasks of one pass ask about the user's own files.

    Attributes:
        files: Paths, outside of ~/.provision, whose being there decides what tasks do.
    """

    home: UnseenHome
    files: set[str] = field(default_factory=set)

    def modules(self, modules: Mapping[str, Module]) -> dict[str, Module]:
        """The same modules, watched."""
        return {name: replace(module, plan=self._watched(module)) for name, module in modules.items()}

    def _watched(self, module: Module) -> Callable[[Any, Any], Result]:
        def plan(args: Any, host: HostView) -> Result:
            self.home.asked()
            self._note(module, args, host)
            try:
                result = module.plan(args, host)
            except NeedsReadingError as missing:
                needs = missing.needs
                untold = first_untold((*needs.entries, *needs.contents, *needs.names), host.home)
                if untold is not None:
                    raise UnknownValueError(f"what is at {untold}, which only a look can tell") from None
                raise
            riddles = self.home.asked()
            if riddles and module.name not in _EDITS:
                raise UnknownValueError(f"what is in {riddles[0]}, which only a look can tell")
            return result

        return plan

    def _note(self, module: Module, args: Any, host: HostView) -> None:
        if module.name not in _EDITS | _LOOKS:
            return
        path = host.path(getattr(args, "path", None) or args.src)
        if not is_in(path, host.path("~/.provision")):
            self.files.add(path)
        if module.name in _EDITS and path in self.home.theirs and not only_adds(module.name, args):
            raise UnknownValueError(f"what is in {path}, which only a look can tell")


def only_adds(module: str, args: Any) -> bool:
    """Whether an edit's outcome is known without the file: its lines are in it, or go to its top or its end."""
    if module == "blockinfile":
        apart = args.append_newline or args.prepend_newline
    else:
        apart = args.regexp is not None or args.search_string is not None or args.backrefs
    return not apart and not args.backup and {args.insertafter, args.insertbefore} <= _ENDS
