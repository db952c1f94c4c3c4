"""What a person reads, event by event."""

import textwrap

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.events import (
    CheckFinished,
    Diff,
    Event,
    HostConnected,
    HostSummary,
    HostUnreachable,
    Notice,
    Outcome,
    PlayStarted,
    Proved,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskLabel,
    Verified,
)
from scupi_provision.report.console import ConsoleReporter

BUILD = TaskLabel("build git 2.39.5", "source_build", "git", where=Position("roles/git/tasks/main.yml", 3, 3))


def lines(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def task(outcome: Outcome, name: str = "t", module: str = "copy", **fields) -> TaskFinished:
    return TaskFinished("admin1", TaskLabel(name, module), outcome, **fields)


def test_every_event_is_shown_or_counted(console) -> None:
    """A new event must be given a view: nothing that happens goes by unseen."""
    viewed = set(ConsoleReporter(console(), console())._views)
    assert viewed | {HostSummary} == set(Event.__args__)


def test_a_run_begins_with_its_words_and_its_stand_ins(show) -> None:
    shown = show(
        RunStarted(
            "apply", "playbooks/site.yaml", ("admin1", "gpu2"), ("no GPU in the lab: GPU checks run on the CPU",)
        ),
        HostConnected("gpu2", "10.0.0.2:22", ("admin1",), 0.84),
        PlayStarted("tools", ("admin1",)),
        PlayStarted("tools", ("gpu2",), "verify"),
    )
    assert shown.out == lines("""
        provision apply playbooks/site.yaml on admin1 and gpu2
        stand-in: no GPU in the lab: GPU checks run on the CPU
        connected gpu2 at 10.0.0.2:22 via admin1 (0.8s)

        play: tools   admin1

        verify: tools   gpu2
    """)
    assert shown.err == ""


def test_a_changed_task_is_one_line(show) -> None:
    shown = show(TaskFinished("admin1", BUILD, Outcome.CHANGED, seconds=112))
    assert shown.out == "  changed  git : build git 2.39.5   admin1   (1m 52s)\n"


def test_what_was_right_already_is_hidden_until_asked_for(show) -> None:
    events = [task(Outcome.OK, "a"), task(Outcome.SKIPPED, "b", message="when: false"), task(Outcome.CHANGED, "c")]
    assert show(*events).out == "  changed  c   admin1\n"
    assert show(*events, verbosity=1).out == (
        "  ok       a   admin1\n  skipped  b   admin1\n      when: false\n  changed  c   admin1\n"
    )


def test_debug_is_there_to_be_read(show) -> None:
    assert show(task(Outcome.OK, "say", "debug", message="hello\nthere")).out == (
        "  ok       say   admin1\n      hello\n      there\n"
    )


def test_check_aligns_its_longer_word(show) -> None:
    shown = show(
        RunStarted("check", "site.yaml", ("admin1",)),
        task(Outcome.WOULD_CHANGE, "a"),
        task(Outcome.UNKNOWN, "b", message="needs the output of a command that has not run"),
    )
    assert shown.out.splitlines()[1:] == [
        "  would change  a   admin1",
        "  unknown       b   admin1",
        "      needs the output of a command that has not run",
    ]


def test_diffs_are_shown_when_asked_for(show) -> None:
    event = task(Outcome.CHANGED, diffs=(Diff("~/a", None, "text\n"), Diff("~/b", summary="create directory")))
    assert "text" not in show(event).out
    assert show(event, diff=True).out.splitlines()[1:] == [
        "      ~/a: new",
        "      +text",
        "      ~/b: create directory",
    ]


def test_a_failure_says_what_where_why_and_what_next_on_stderr(show) -> None:
    shown = show(
        TaskFinished(
            "admin1",
            BUILD,
            Outcome.FAILED,
            message="make -j2 exited with status 2",
            output="CC http.o\nhttp.c:5: curl/curl.h: No such file\n",
            log="~/.provision/jobs/1f/log",
            error=Diagnostic("curl/curl.h is missing", None, hint="build curl first"),
        )
    )
    assert shown.out == "  failed   git : build git 2.39.5   admin1\n"
    assert shown.err == lines("""
        error: git : build git 2.39.5 failed on admin1
         --> roles/git/tasks/main.yml:3:3
          make -j2 exited with status 2
          curl/curl.h is missing
          the last lines of its output:
            | CC http.o
            | http.c:5: curl/curl.h: No such file
          full log: admin1:~/.provision/jobs/1f/log
        hint: build curl first
    """)


def test_a_failure_shows_the_line_it_comes_from(show) -> None:
    error = Diagnostic("x is undefined", Position("p.yaml", 7, 9), "  path: {{ x }}")
    assert show(task(Outcome.FAILED, message="x is undefined", error=error)).err == lines("""
        error: t failed on admin1
         --> p.yaml:7:9
          |
        7 |   path: {{ x }}
          |         ^
          x is undefined
    """)


def test_only_the_end_of_long_output_is_shown(show) -> None:
    shown = show(task(Outcome.FAILED, output="\n".join(f"line {n}" for n in range(100))))
    assert "    | ... 75 earlier lines left out\n    | line 75\n" in shown.err
    assert shown.err.endswith("    | line 99\n")


def test_an_ignored_failure_keeps_its_reason(show) -> None:
    shown = show(task(Outcome.IGNORED, error=Diagnostic("exited with status 1")))
    assert shown.out == "  ignored  t   admin1\n      exited with status 1\n"
    assert shown.err == ""


def test_checks_name_what_was_expected_and_seen(show) -> None:
    claim = TaskLabel("git is the one built", "expect")
    shown = show(CheckFinished("gpu2", claim, True, "git version 2.39.5", "git version 2.39.5"))
    assert shown.out == ("  pass  gpu2  git is the one built   expected git version 2.39.5, saw git version 2.39.5\n")


def test_a_value_of_many_lines_is_cut_on_the_line_and_whole_when_the_check_fails(show) -> None:
    claim = TaskLabel("c", "expect", where=Position("v.yml", 2, 3))
    shown = show(CheckFinished("gpu2", claim, False, "", "one\ntwo\nthree\n"))
    assert shown.out == "  fail  gpu2  c   expected nothing, saw one (2 more lines)\n"
    assert shown.err == lines("""
        error: check failed on gpu2: c
         --> v.yml:2:3
          expected: nothing
          saw:      one
                    two
                    three
    """)


def test_a_narrow_terminal_gets_the_values_on_a_line_of_their_own(show) -> None:
    event = CheckFinished("gpu2", TaskLabel("git is the one built", "expect"), True, "2.39.5", "2.39.5")
    assert show(event, terminal=True, width=50, animated=False).out == (
        "  pass  gpu2  git is the one built\n        expected 2.39.5, saw 2.39.5\n"
    )


def test_a_standing_proof_says_since_when_and_how_to_repeat_it(show) -> None:
    assert show(Verified("gpu2", 12, "2026-01-02 03:04")).out == (
        "  gpu2: 12 checks proved at 2026-01-02 03:04, nothing changed since; run `provision verify` to repeat them\n"
    )


def test_proof_and_its_limits(show) -> None:
    assert show(Proved("admin1")).out == "  admin1: proved: nothing left to change\n"
    shown = show(Proved("admin1", unprovable=(BUILD, BUILD)))
    assert shown.out == "  admin1: proved: nothing left to change (2 commands cannot be proved)\n"


def test_what_a_fresh_read_would_still_change_is_a_warning(show) -> None:
    shown = show(Proved("admin1", remaining=(BUILD,)))
    assert shown.out == ""
    assert shown.err == lines("""
        warning: admin1: not proved: 1 task would still change something
          git : build git 2.39.5   roles/git/tasks/main.yml:3:3
    """)


def test_notices_go_where_their_level_says(show) -> None:
    shown = show(Notice("slow\nhome", "admin1"), Notice("old glibc", "gpu2", "warning"), Notice("general"))
    assert shown.out == "note: admin1: slow\n      home\nnote: general\n"
    assert shown.err == "warning: gpu2: old glibc\n"


def test_an_unreachable_host_is_explained_on_stderr(show) -> None:
    shown = show(HostUnreachable("gpu2", Diagnostic("host key of gpu2 has changed", detail="SHA256:a\nSHA256:b")))
    assert shown.err == "error: host key of gpu2 has changed\n  SHA256:a\n  SHA256:b\n  gpu2 drops out of this run\n"


def test_one_reason_for_several_hosts_is_explained_once(show) -> None:
    reason = Diagnostic("admin1 does not answer")
    shown = show(HostUnreachable("admin1", reason), HostUnreachable("gpu2", reason))
    assert shown.err == lines("""
        error: admin1 does not answer
          admin1 drops out of this run
          gpu2 drops out of this run for the same reason
    """)


def test_a_run_closes_with_its_table_and_the_truth(show) -> None:
    shown = show(
        RunStarted("apply", "site.yaml", ("admin1", "gpu2")),
        PlayStarted("p", ("admin1",)),
        PlayStarted("p", ("gpu2",), "verify"),
        Proved("admin1"),
        HostSummary("admin1", {Outcome.OK: 12, Outcome.CHANGED: 3, Outcome.RESCUED: 1}, 0, 0, 3, 158.2),
        HostSummary("gpu2", {}, 12, 0, 2, 6.44),
        RunFinished("apply", 0, 165),
    )
    assert shown.out.endswith(
        lines("""
        host    ok  changed  skipped  failed  unknown  rescued    checks  round trips    time
        admin1  12        3        0       0        0        1         -            3  2m 38s
        gpu2     0        0        0       0        0        0  12 of 12            2    6.4s

        admin1 is as described, proved on gpu2 (2m 45s)
        """)
    )


def test_bad_news_closes_on_stderr_and_an_interrupted_run_still_has_its_table(show) -> None:
    shown = show(task(Outcome.CHANGED), task(Outcome.FAILED), RunFinished("apply", 1, 2))
    assert shown.out.endswith(
        "host    ok  changed  skipped  failed  unknown  checks  round trips  time\n"
        "admin1   0        1        0       1        0       -            -     -\n\n"
    )
    assert shown.err.endswith("1 task failed on admin1 (2.0s)\n")


def test_wide_host_names_keep_the_table_straight(show) -> None:
    shown = show(HostSummary("节点一"), HostSummary("gpu2"), RunFinished("verify", 0, 0))
    assert "节点一   0" in shown.out
    assert "gpu2     0" in shown.out
