"""The handlers of a play: which there are, and which have been notified since the last flush."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scupi_provision.playbook.models import Task


@dataclass
class Handlers:
    """Every handler of the play in the order of definition, each under the names it may be called by.

    Attributes:
        naming: The rendered name of a handler.
    """

    naming: Callable[[Task], str]
    _known: list[tuple[Task, set[str]]] = field(default_factory=list)
    _notified: set[int] = field(default_factory=set)
    _perhaps: dict[int, str] = field(default_factory=dict)

    def know(self, handlers: Sequence[Task]) -> None:
        """These may be notified from here on; those of a role that is included while the play runs come last."""
        known = {handler.where for handler, _ in self._known}
        self._known += [(handler, self._names(handler)) for handler in handlers if handler.where not in known]

    def notify(self, names: Sequence[str]) -> None:
        """Those that go by one of these names run at the next flush."""
        self._notified.update(self._called(names))

    def perhaps_notify(self, names: Sequence[str], reason: str) -> None:
        """Whether those run is not known before `reason` is."""
        self._perhaps.update(dict.fromkeys(self._called(names), reason))

    def due(self) -> Iterator[tuple[int, Task, str]]:
        """The notified handlers in the order of their definition, each once, with why it is in doubt (or "").

        Handlers that are notified while this goes on are met when they come later in the order.
        """
        for index, (handler, _) in enumerate(self._known):
            doubt = self._perhaps.pop(index, "")
            if index in self._notified:
                self._notified.remove(index)
                yield index, handler, ""
            elif doubt:
                yield index, handler, doubt

    def _called(self, names: Sequence[str]) -> set[int]:
        """The handlers (by their place in the play) that go by one of these names."""
        return {index for index, (_, own) in enumerate(self._known) if not own.isdisjoint(names)} if names else set()

    def _names(self, handler: Task) -> set[str]:
        names = {str(listened) for listened in handler.listen}
        if handler.name:
            name = self.naming(handler)
            names |= {name, f"{handler.role.name} : {name}"} if handler.role else {name}
        return names
