"""The handlers of a play: which there are, and which have been notified since the last flush."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scupi_provision.playbook.models import Include, Task

Handler = Task | Include


@dataclass(frozen=True)
class _Known:
    """A handler with its rendered name ("" for none), all names that call it, and the topics that it listens to."""

    item: Handler
    name: str
    names: frozenset[str]
    topics: frozenset[str]


@dataclass
class Handlers:
    """Every handler of the play in the order of definition, each under the names it may be called by.

    Attributes:
        naming: The rendered name of a handler.
    """

    naming: Callable[[Handler], str]
    _known: list[_Known] = field(default_factory=list)
    _notified: set[int] = field(default_factory=set)
    _perhaps: dict[int, str] = field(default_factory=dict)

    def know(self, handlers: Sequence[Handler]) -> None:
        """These may be notified from here on; those of a role that is included while the play runs come last."""
        known = {handler.item.where for handler in self._known}
        self._known += [self._named(handler) for handler in handlers if handler.where not in known]

    def notify(self, names: Sequence[str]) -> None:
        """Those that go by one of these names run at the next flush."""
        self._notified.update(self._called(names))

    def perhaps_notify(self, names: Sequence[str], reason: str) -> None:
        """Whether those run is not known before `reason` is."""
        self._perhaps.update(dict.fromkeys(self._called(names), reason))

    def due(self) -> Iterator[tuple[int, Handler, str]]:
        """The notified handlers in the order of their definition, each once, with why it is in doubt (or "").

        Handlers that are notified while this goes on are met when they come later in the order.
        """
        for index, handler in enumerate(self._known):
            doubt = self._perhaps.pop(index, "")
            if index in self._notified:
                self._notified.remove(index)
                yield index, handler.item, ""
            elif doubt:
                yield index, handler.item, doubt

    def _called(self, names: Sequence[str]) -> set[int]:
        """The handlers (by their place in the play) that go by one of these names."""
        return {index for name in names for index in self._answering(name)}

    def _answering(self, name: str) -> Iterator[int]:
        """The last handler of this name, and all that listen to it; of those with one name, again only the last."""
        named = [index for index, handler in enumerate(self._known) if name in handler.names]
        yield from named[-1:]
        last = {handler.name: index for index, handler in enumerate(self._known) if name in handler.topics}
        for index, handler in enumerate(self._known):
            if name in handler.topics and (not handler.name or last[handler.name] == index):
                yield index

    def _named(self, handler: Handler) -> _Known:
        name = self.naming(handler) if handler.name else ""
        names = {name} if name else set()
        topics = {str(topic) for topic in handler.listen}
        if handler.role is not None:
            names |= {f"{handler.role.name} : {name}"} if name else set()
            topics |= {f"{handler.role.name} : {topic}" for topic in topics}
        return _Known(handler, name, frozenset(names), frozenset(topics))
