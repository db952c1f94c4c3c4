"""Asking a host what its entries do not tell, during planning."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from scupi_provision.host.reading import ReadableHost
from scupi_provision.host.snapshot import Needs, NeedsReadingError
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.inspection import Inspection
from scupi_provision.values import UnknownValueError


class UntoldError(UnknownValueError):
    """Nobody can tell, now or later: a script is compiled for a host that only a look has told of."""


class InspectingHost(ReadableHost):
    """Answers inspections from the snapshot, where the plan leaves what they tell of alone."""

    def inspect(self, what: str, *words: str, roots: tuple[str, ...]) -> bytes:
        """The answer of the function `what` of `inspect.sh`; b"" where the host cannot tell.

        Args:
            what: Which question.
            *words: Its arguments; paths are absolute.
            roots: The paths of which it tells, with all that is below them.

        Raises:
            UnknownValueError: This plan changes something there, so that only a run can tell.
            UntoldError: Not even that can.
        """
        question = Inspection(what, words, tuple(map(self.path, roots)))
        for root in question.roots:
            self.record.searched.add(self._one_name(root))
            if self._is_touched(self._one_name(root)):
                raise UnknownValueError(f"what earlier tasks make of {root}")
        if question not in self._snapshot.inspections:
            raise NeedsReadingError(Needs(inspections={question: None}))
        told = self._snapshot.inspections[question]
        if told is None:
            raise UntoldError(f"more of {question.roots[0]} than a look tells")
        self.record.inspections[question] = told
        return told

    def want_inspected(self, path: str, questions: Iterable[tuple[str, ...]]) -> None:
        """Say at once what will be asked about `path`, so that it comes in one exchange with its entry.

        Args:
            path: Absolute.
            questions: For each, the function of `inspect.sh` and its words.
        """
        needs = Needs()
        self._collect(needs, partial(self.entry, path))
        for what, *words in questions:
            self._collect(needs, partial(self._ask_of, path, what, *words))
        if needs:
            raise NeedsReadingError(needs)

    def _ask_of(self, path: str, what: str, *words: str) -> bytes:
        return self.inspect(what, *words, roots=(path,))

    def _is_touched(self, root: str) -> bool:
        """Whether this plan changes `root`, something below it, or whether it is there at all."""
        planned = {**self._planned, **self.record.planned}
        below = root.rstrip("/") + "/"
        if any(path == root or path.startswith(below) for path in (*planned, *self._opaque, *self.record.opaque)):
            return True
        above = self._state_above(root)
        return above is not None and above.kind is Kind.ABSENT
