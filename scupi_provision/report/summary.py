"""The closing table: one row a host."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from scupi_provision.events import Outcome
from scupi_provision.report import style
from scupi_provision.report.tally import HostTally, RunTally
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import duration

_GAP = "  "
_NOTHING = "-"
_RARE = (Outcome.RESCUED, Outcome.IGNORED, Outcome.UNREACHABLE)


def summary_table(tally: RunTally) -> list[Text]:
    """Heading and rows, columns aligned by cells; no line when no host took part.

    A column for a rare outcome appears only in a run that had it.
    """
    if not tally.hosts:
        return []
    outcomes = _columns(tally)
    headings = ["host", *(style.OUTCOME_WORDS[outcome] for outcome in outcomes)]
    headings += ["checks", "round trips", "time"]
    rows = [_row(name, host, outcomes) for name, host in tally.hosts.items()]
    widths = [max(cell_len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    lines = [Text(_aligned(headings, widths), style=style.HEADING)]
    colours = ["", *(style.OUTCOME_STYLES[outcome] for outcome in outcomes)]
    for row, host in zip(rows, tally.hosts.values(), strict=True):
        checks = style.ERROR if host.failed_checks else style.GOOD
        lines.append(_coloured(row, widths, [*colours, checks, "", ""]))
    return lines


def _columns(tally: RunTally) -> list[Outcome]:
    change = Outcome.WOULD_CHANGE if tally.verb == "check" else Outcome.CHANGED
    other = Outcome.CHANGED if tally.verb == "check" else Outcome.WOULD_CHANGE
    rare = [outcome for outcome in (other, *_RARE) if tally.total(outcome)]
    return [Outcome.OK, change, Outcome.SKIPPED, Outcome.FAILED, Outcome.UNKNOWN, *rare]


def _row(name: str, host: HostTally, outcomes: Sequence[Outcome]) -> list[str]:
    summary = host.summary
    ending = [str(summary.round_trips), duration(summary.seconds)] if summary else [_NOTHING, _NOTHING]
    counts = [str(host.count(outcome)) for outcome in outcomes]
    return [visible(name), *counts, _checks(host), *ending]


def _checks(host: HostTally) -> str:
    total = host.passed + host.failed_checks
    return f"{host.passed} of {total}" if total else _NOTHING


def _coloured(row: Sequence[str], widths: Sequence[int], colours: Sequence[str]) -> Text:
    """The row as text; what is nothing has no colour."""
    line = Text()
    for index, (cell, width, colour) in enumerate(zip(row, widths, colours, strict=True)):
        line.append(_GAP if index else "")
        line.append(_padded(cell, width, is_first=index == 0), style=style.QUIET if cell in {"0", _NOTHING} else colour)
    return line


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [_padded(cell, width, is_first=i == 0) for i, (cell, width) in enumerate(zip(cells, widths, strict=True))]
    return _GAP.join(padded)


def _padded(cell: str, width: int, *, is_first: bool) -> str:
    """Names to the left, numbers to the right."""
    padding = " " * (width - cell_len(cell))
    return cell + padding if is_first else padding + cell
