"""command, shell and expect: when they run, with what, and how their outcome is judged."""

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.programs import when
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply
from scupi_provision.values import UnknownValueError


def planned(module, memory=None, **args):
    parsed = MODULES[module].args.model_validate(args)
    return plan_on(memory or MemoryHost(), lambda host: MODULES[module].plan(parsed, host))


def finished(module, args, status=0, stdout="", stderr=""):
    def run(_action, _host):
        return RunReply(0, status, stdout.encode(), stderr.encode(), "")

    parsed = MODULES[module].args.model_validate(args)
    memory = MemoryHost(run=run)
    plan, performed = apply_on(memory, lambda host: MODULES[module].plan(parsed, host))
    return MODULES[module].finish(parsed, plan.result, performed.runs)


def run_of(plan):
    (action,) = plan.record.actions
    return action


def test_a_command_is_split_and_not_given_to_a_shell():
    action = run_of(planned("command", cmd="""grep 'a b' *.txt | "wc -l" """, chdir="~/d"))
    assert action.argv == ("grep", "a b", "*.txt", "|", "wc -l")
    assert action.cwd == f"{HOME}/d"


def test_home_and_known_variables_are_expanded_in_a_command():
    action = run_of(planned("command", argv=["ls", "~/a", "$HOME/b", "${USER}", "$UNKNOWN", "a~"]))
    assert action.argv == ("ls", f"{HOME}/a", f"{HOME}/b", "student", "$UNKNOWN", "a~")


def test_a_shell_text_is_one_argument():
    assert run_of(planned("shell", cmd="a | b")).argv == ("/bin/sh", "-c", "a | b")
    assert run_of(planned("shell", cmd="a", executable="/bin/bash")).argv == ("/bin/bash", "-c", "a")


@pytest.mark.parametrize(("given", "read"), [({}, b"a\n"), ({"stdin_add_newline": False}, b"a")])
def test_stdin(given, read):
    assert run_of(planned("command", cmd="cat", stdin="a", **given)).stdin == read


def test_what_a_program_says_is_not_known_before():
    plan = planned("command", cmd="date")
    assert plan.result.changed
    assert plan.result.unprovable
    with pytest.raises(UnknownValueError):
        str(plan.result.values["stdout"])


@pytest.mark.parametrize("creates", ["~/out", "out", f"{HOME}/out", "o*", "?ut", "[no]ut"])
def test_nothing_is_run_when_creates_exists(creates):
    plan = planned("command", MemoryHost({f"{HOME}/out": Node(Kind.FILE)}), cmd="make", creates=creates, chdir="~")
    assert plan.record.actions == []
    assert not plan.result.changed
    assert plan.result.values["stdout"] == f"skipped, since {creates} exists"


@pytest.mark.parametrize("creates", ["~/other", "o?", "[a-m]ut", "~/link"])
def test_it_is_run_when_creates_does_not_exist(creates):
    nodes = {f"{HOME}/out": Node(Kind.FILE), f"{HOME}/link": Node(Kind.LINK, target="nothing")}
    plan = planned("command", MemoryHost(nodes), cmd="make", creates=creates)
    assert plan.result.changed
    assert not plan.result.unprovable


def test_removes():
    assert planned("command", cmd="rm x", removes="~/x").record.actions == []
    assert planned("command", MemoryHost({f"{HOME}/x": Node(Kind.FILE)}), cmd="rm x", removes="~/x").record.actions


def test_output_is_registered_as_ansible_does():
    result = finished("command", {"cmd": "x y"}, stdout="a\nb\n\n", stderr="c\n")
    assert result.values == {
        "cmd": ["x", "y"],
        "rc": 0,
        "stdout": "a\nb",
        "stdout_lines": ["a", "b"],
        "stderr": "c",
        "stderr_lines": ["c"],
        "start": None,
        "end": None,
        "delta": None,
        "msg": "",
    }
    assert result.changed
    assert not result.failed
    assert finished("command", {"cmd": "x", "strip_empty_ends": False}, stdout="a\n").values["stdout"] == "a\n"


def test_times_are_the_hosts():
    """GNU writes nanoseconds and the zone, busybox likewise; Ansible registers microseconds."""
    times = ("2026-01-31 23:59:59.123456789 +0100", "2026-02-01 00:00:01.623456000 +0100")
    assert when(times) == {
        "start": "2026-01-31 23:59:59.123456",
        "end": "2026-02-01 00:00:01.623456",
        "delta": "0:00:02.500000",
    }


def test_a_status_other_than_0_is_a_failure():
    result = finished("shell", {"cmd": "exit 3"}, status=3)
    assert result.failed
    assert result.values["rc"] == 3
    assert result.values["msg"] == "non-zero return code"


@pytest.mark.parametrize("args", [{}, {"cmd": "a", "argv": ["a"]}, {"argv": []}])
def test_a_command_needs_one_form(args):
    with pytest.raises(ValidationError):
        planned("command", **args)


def test_an_open_quote_is_told():
    with pytest.raises(TaskFailedError, match="no closing quotation"):
        planned("command", cmd="echo 'a")


# --- expect ---------------------------------------------------------------------------------------------------------


def verdict(result):
    return [(claim.passed, claim.expected, claim.seen) for claim in result.claims]


def test_expect_judges_a_program_when_it_has_run():
    plan = planned("expect", command="git --version", stdout_contains="2.47", login_shell=True, timeout=5)
    action = run_of(plan)
    assert action.login
    assert not action.fails_when_nonzero
    assert action.writes == ()
    assert action.timeout_s == 5
    assert plan.result.claims == ()
    assert not plan.result.changed


@pytest.mark.parametrize(
    ("args", "passed"),
    [
        ({"stdout": "git version 2.47"}, True),
        ({"stdout": "git version"}, False),
        ({"stdout_contains": "2.47"}, True),
        ({"stdout_contains": "2.48"}, False),
        ({"stdout_matches": r"\d+\.\d+$"}, True),
        ({"stdout_matches": "^x"}, False),
        ({"stdout_lacks": "error"}, True),
        ({"stdout_lacks": "git"}, False),
        ({"stderr_contains": "warn"}, True),
        ({"stderr_contains": "nothing"}, False),
        ({}, True),
        ({"rc": 1}, False),
    ],
)
def test_expect_on_output(args, passed):
    result = finished("expect", {"command": "git", **args}, stdout="git version 2.47\n", stderr="warning\n")
    assert [claim.passed for claim in result.claims] == [passed]
    assert result.failed is not passed
    assert not result.changed


def test_expect_says_what_was_expected_and_seen():
    result = finished("expect", {"shell": "git --version", "stdout_contains": "2.47"}, stdout="1.8\n")
    assert verdict(result) == [(False, "`git --version` to print '2.47' somewhere", "1.8")]
    assert result.message == "expected `git --version` to print '2.47' somewhere, saw 1.8"


def test_expect_tells_of_a_failed_program_also_when_output_was_asked_for():
    result = finished("expect", {"command": "git", "stdout_contains": "2"}, status=127, stderr="sh: git: not found")
    assert verdict(result)[1] == (False, "`git` to end with status 0", "127: sh: git: not found")


def test_expect_does_not_wait_for_ever():
    assert verdict(finished("expect", {"command": "sleep", "timeout": 2}, status=124)) == [
        (False, "`sleep` to end within 2 s", "it did not")
    ]


@pytest.mark.parametrize(
    ("args", "passed"),
    [
        ({"path": "~/f"}, True),
        ({"path": "~/f", "kind": "file", "mode": "0644", "contains": "tex"}, True),
        ({"path": "~/f", "kind": "directory"}, False),
        ({"path": "~/f", "mode": "0600"}, False),
        ({"path": "~/f", "contains": "nothing"}, False),
        ({"path": "~/none"}, False),
        ({"path": "~/none", "kind": "absent"}, True),
        ({"path": "~/l", "kind": "file"}, True),
        ({"path": "~/l", "kind": "link", "target": "f"}, True),
        ({"path": "~/l", "target": "g"}, False),
        ({"path": "~/l", "contains": "text"}, True),
    ],
)
def test_expect_on_a_path(args, passed):
    memory = MemoryHost({f"{HOME}/f": Node(Kind.FILE, content=b"text\n"), f"{HOME}/l": Node(Kind.LINK, target="f")})
    result = planned("expect", memory, **args).result
    assert result.claims
    assert result.failed is not passed


@pytest.mark.parametrize(
    ("value", "wanted", "passed"),
    [
        ("2.13", 2.13, True),
        (True, "true", True),
        (8, "8", True),
        ([1, "a"], ["1", "a"], True),
        ("a", "b", False),
        (None, "", False),
    ],
)
def test_expect_on_a_value(value, wanted, passed):
    result = planned("expect", value=value, equals=wanted).result
    assert result.failed is not passed


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"command": "a", "path": "b"},
        {"path": "a", "stdout": "b"},
        {"command": "a", "mode": "0600"},
        {"value": 1},
        {"command": "a", "stdout_matches": "("},
    ],
)
def test_expect_refuses_what_does_not_go_together(args):
    with pytest.raises(ValidationError):
        planned("expect", **args)


def test_a_ping_can_be_asked_to_fail():
    assert planned("ping", data="crash").result.failed
    assert not planned("ping").result.failed
