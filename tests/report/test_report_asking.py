"""Somebody who is asked something in the middle of a run can read it."""

import io

from rich.console import Console
from scupi_provision.events import TaskLabel
from scupi_provision.report.progress import LiveProgress, all_paused


def test_no_region_is_drawn_while_a_person_is_asked():
    out = io.StringIO()
    region = LiveProgress(Console(file=out, force_terminal=True, width=60))
    region.start("gpu2", TaskLabel("git", "compile"))
    try:
        with all_paused():
            out.truncate(0)
            region_at_rest = out.getvalue()
            with all_paused():
                pass
            assert out.getvalue() == region_at_rest
        assert "git" in out.getvalue()
    finally:
        region.close()


def test_nothing_has_to_be_paused_where_nothing_is_drawn():
    with all_paused():
        pass
