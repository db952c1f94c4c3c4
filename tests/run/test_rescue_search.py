"""Finding the statement that is to blame, with shells that are only thought of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.host.recovery import Fault, Finding
from scupi_provision.run.rescuing.repairing import repaired
from scupi_provision.run.rescuing.search import Statement, blamed, faults_of, unreadable, whole_beginnings
from scupi_provision.shell.rescuing import Parsed, Trial

WELL = Trial(0, late=False, alive=True, finds=True, next_line="provision-1", speaks=True, printed=b"", said="")


@given(st.sets(st.integers(1, 60)), st.integers(1, 60))
def test_the_statement_that_contains_the_guilty_line_is_found(cuts, guilty):
    whole = [0, *sorted(cuts - {60}), 60]
    statement = blamed(whole, lambda cut: cut >= guilty)
    assert statement.first <= guilty <= statement.last
    assert statement.first - 1 in whole
    assert statement.last in whole
    assert not [cut for cut in whole if statement.first <= cut < statement.last]


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_where_a_fault_comes_and_goes_one_of_the_places_where_it_comes_is_found(shown):
    shown = [False, *shown, True]
    statement = blamed(range(len(shown)), lambda cut: shown[cut])
    assert shown[statement.last]
    assert not shown[statement.first - 1]


def test_only_whole_beginnings_are_tried():
    lines = [b"a\n", b"b \\\n", b"c\n", b"if d\n", b"fi\n"]
    parsed = Parsed((True, True, True, False, True), "")
    assert whole_beginnings(lines, parsed) == [0, 1, 3, 5]


@pytest.mark.parametrize(
    ("trial", "occasion", "faults"),
    [
        (WELL, "command", ()),
        (Trial(3, False, False, False, None, False, b"", ""), "command", (Fault.ENDS,)),
        (Trial(137, True, False, False, None, False, b"", ""), "person", (Fault.HANGS,)),
        (Trial(0, False, True, False, "provision-1", True, b"hi\n", ""), "command", (Fault.PATH, Fault.PRINTS)),
        (Trial(0, False, True, True, "provision-2", True, b"hi\n", ""), "login", ()),
        (Trial(0, False, True, True, None, False, b"\n", ""), "command", (Fault.SILENCES, Fault.READS)),
        (Trial(9, False, False, False, None, False, b"", ""), "server", ()),
    ],
)
def test_what_counts_as_a_fault_depends_on_when_a_file_is_read(trial, occasion, faults):
    assert faults_of(trial, occasion) == faults


def _closed(content: bytes) -> bool:
    """A shell that knows only `if` and `fi`, and comments."""
    depth = 0
    for line in content.splitlines():
        depth += {b"if": 1, b"fi": -1}.get(line.strip(), 0)
        if depth < 0:
            return False
    return depth == 0


def test_of_a_statement_that_is_never_closed_its_body_goes_with_it():
    lines = [b"a\n", b"if\n", b"  b\n", b"  c\n", b"d\n"]
    parsed = Parsed((True, False, False, False, False), "line 6: unexpected end of file")
    assert unreadable(lines, parsed, 6, _closed) == Statement(2, 4)


def test_a_line_that_is_too_much_goes_alone():
    lines = [b"if\n", b"fi\n", b"fi\n", b"a\n"]
    parsed = Parsed((False, True, False, False), "line 3: unexpected token")
    assert unreadable(lines, parsed, 3, _closed) == Statement(3, 3)


def test_several_findings_of_one_file_are_all_taken_out():
    def found(first: int, last: int, fault: Fault) -> Finding:
        return Finding("/home/me/.bashrc", first, last, "", fault, "command")

    content = b"a\r\nb\r\nc\r\nd\r\n"
    findings = [found(1, 4, Fault.WINDOWS), found(4, 4, Fault.ENDS), found(1, 2, Fault.PRINTS)]
    mark = b"# provision rescue 2026-01-31: "
    assert repaired(content, findings, "2026-01-31") == mark + b"a\n" + mark + b"b\nc\n" + mark + b"d\n"
