"""What the programs in bench/ measure: round trips on the wire, programs on the hosts."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
from newcomer import daemon
from processes import CannotTraceError, started_program, started_programs, unwanted
from round_trips import MOST_AFTER_LOGIN, SIZES, measure, table, verdict
from slow_link import Traffic, flights

pytestmark = pytest.mark.lab

_DELAY_S = 0.06  # long beside what a busy machine adds to a flight


@pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client")
def test_a_converged_apply_takes_the_same_few_round_trips_whatever_its_size():
    plain, *applies = measure(SIZES, _DELAY_S)
    shown = table([plain, *applies], 2 * _DELAY_S)
    assert verdict(applies) == "", shown
    assert all(1 <= one.after <= MOST_AFTER_LOGIN for one in applies), shown
    # Time is a second witness: a flight that was not counted would cost a round trip all the same.
    assert applies[0].wire_s < 2 * _DELAY_S * (applies[0].before + applies[0].after + 3), shown
    assert plain.after >= 1, shown


def test_what_cannot_be_a_reaction_belongs_to_the_same_flight():
    traffic = Traffic(sent=[(1.0, 100), (1.05, 10), (1.11, 10), (1.15, 5), (1.5, 1)], received=[])
    assert flights(traffic, round_trip_s=0.1) == [1.0, 1.11, 1.5]


def test_a_playbook_that_asks_the_host_more_often_is_caught():
    """The verdict on measurements that differ, and on ones that are too many."""
    plain, *_ = _measured(3)
    assert "depends on the number of tasks" in verdict([plain, *_measured(4)])
    assert "more than 3" in verdict(_measured(4))
    assert verdict(_measured(3)) == ""


def _measured(after):
    from round_trips import Measurement

    return [Measurement(f"apply, {after} trips", 4, after, 1, 0, 0, 1.0, 1.0, 0.5)]


LINES = {
    'execve("/usr/bin/sh", ["sh", "-c", "exit"], 0x55 /* 14 vars */) = 0': "sh",
    'execve("/usr/local/bin/git", ["git"], 0x55 /* 14 vars */) = -1 ENOENT (No such file or directory)': "",
    'execveat(3, "/opt/a \\"b\\"/python3.11", ["python3"], 0x55 /* 1 var */, 0) = 0': "python3.11",
    "+++ exited with 0 +++": "",
}


@pytest.mark.parametrize(("line", "program"), LINES.items())
def test_only_programs_that_were_started_count(line, program):
    assert started_program(line) == program


def test_every_version_of_a_program_is_that_program():
    programs = Counter(["python3.11", "python", "pip3", "git-remote-https", "conda", "gmake", "cmake", "digit", "sh"])
    assert unwanted(programs) == {"python": 2, "conda": 1, "pip": 1, "git": 1, "make": 1}


def test_what_a_host_starts_is_seen(person, site, lab):
    playbook = site("- {command: env true}\n- {shell: make --version >/dev/null || true}")
    try:
        with started_programs(daemon(lab)) as programs:
            assert person.run("apply", playbook).code == 0
    except CannotTraceError as error:
        pytest.skip(str(error))
    assert programs["true"] == 1
    assert unwanted(programs)["make"] == 1
