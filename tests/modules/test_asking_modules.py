"""uri, git, wait_for, cron, setup and the small ones: what is planned, and what is made of what a host says."""

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.modules.argument_checking import problems
from scupi_provision.modules.host_patterns import extended
from scupi_provision.modules.registry import LATER, MODULES, ROOT_ONLY
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply


def planned(called, memory=None, /, **args):
    module = MODULES[called]
    parsed = module.args.model_validate(args)
    return plan_on(memory or MemoryHost(), lambda host: module.plan(parsed, host))


def finished(name, args, status=0, stdout=b"", stderr=b""):
    module = MODULES[name]
    plan = planned(name, **args)
    reply = RunReply(
        0, status, stdout, stderr, "", None, ("2026-01-01 00:00:00.0 +0000", "2026-01-01 00:00:02.5 +0000")
    )
    return module.finish(module.args.model_validate(args), plan.result, (reply,))


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("uri", {"url": "http://h/x", "url_username": "me", "url_password": SECRET, "body": SECRET}),
        ("uri", {"url": "http://h/x", "headers": {"Authorization": SECRET}, "force_basic_auth": True}),
        ("get_url", {"url": "http://h/x", "dest": "~/x", "headers": {"X": SECRET}, "url_password": SECRET}),
        ("expect_responses", {"command": "login", "responses": {"Password:": SECRET}}),
    ],
)
def test_secrets_are_never_on_a_command_line(name, args):
    (run,) = planned(name, **args).record.actions
    assert SECRET not in " ".join(run.argv)
    assert SECRET not in repr(MODULES[name].args.model_validate(args)) or "body" in args or "headers" in args


def test_a_request_is_known_after_apply_and_changes_nothing_by_itself():
    plan = planned("uri", url="http://h/x")
    assert (plan.result.changed, bool(plan.result.undecided)) == (False, True)
    assert plan.record.actions[0].writes == ()


@pytest.mark.parametrize(
    "args",
    [
        {"url": "ftp://h/x"},
        {"url": "http://me:pw@h/x"},
        {"url": "http://h/a b"},
        {"url": "http://h/", "headers": {"A": "b\nC: d"}},
        {"url": "http://h/", "use_gssapi": True},
        {"url": "http://h/", "body": "x", "src": "y"},
    ],
)
def test_what_cannot_be_asked_is_refused(args):
    with pytest.raises(ValidationError):
        planned("uri", **args)


def test_an_answer_that_cannot_be_kept_whole_is_told():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    result = finished(
        "uri", {"url": "http://h/", "return_content": True}, stdout=b"tail" + head + b"\n9 38 none 0 http://h/"
    )
    assert result.failed
    assert "9 bytes" in result.message


def test_git_says_what_was_before_and_after():
    memory = MemoryHost({f"{HOME}/r/.git/config": Node(Kind.FILE)})
    assert planned("git", memory, repo="/up", dest="~/r").result.undecided
    assert not planned("git", repo="/up", dest="~/r").result.undecided
    result = finished("git", {"repo": "/up", "dest": "~/r"}, stdout=b"before aa\nafter bb\nremote changed\n")
    assert result.values == {"before": "aa", "after": "bb", "remote_url_changed": True}
    assert result.changed
    assert not finished("git", {"repo": "/up", "dest": "~/r"}, stdout=b"before aa\nafter aa\n").changed
    failed = finished("git", {"repo": "/up", "dest": "~/r"}, status=1, stderr=b"fatal: x\nFailed to checkout y")
    assert (failed.failed, failed.message) == (True, "Failed to checkout y")


@pytest.mark.parametrize("args", [{"accept_hostkey": True}, {"version": "--upload-pack=x"}, {"umask": "8"}])
def test_what_git_must_not_be_told(args):
    with pytest.raises(ValidationError):
        planned("git", repo="https://h/x", dest="~/x", **args)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (r"port (\d+)\s", ("port ([0-9]+)[[:space:]]", False)),
        (r"(?i)pass.*?:", ("pass.*:", True)),
        (r"(?P<a>\w)[\d\-x]\.", (r"([[:alnum:]_])[0-9x-]\.", False)),
        (r"(?:a|b)\t\W", ("(a|b)\t[^[:alnum:]_]", False)),
    ],
)
def test_patterns_of_python_become_those_of_grep(pattern, wanted):
    assert extended(pattern) == wanted


@pytest.mark.parametrize("pattern", [r"a(?=b)", r"(?<!a)b", r"(a)\1", "("])
def test_patterns_that_grep_cannot_follow_are_refused(pattern):
    with pytest.raises(ValueError, match=r"grep|regular expression"):
        extended(pattern)


def test_a_file_that_is_there_is_not_waited_for():
    memory = MemoryHost({f"{HOME}/f": Node(Kind.FILE)})
    assert planned("wait_for", memory, path="~/f").record.actions == []
    assert planned("wait_for", path="~/f", state="absent").record.actions == []
    assert planned("wait_for", path="~/f").result.undecided


def test_crontab_decides_whether_anything_changes():
    args = {"name": "n", "job": "x", "minute": "5"}
    assert "line='5 * * * * x'" in planned("cron", **args).record.actions[0].argv[2]
    assert finished("cron", args, stdout=b"changed\n/tmp/crontab.x\n").values == {"backup_file": "/tmp/crontab.x"}
    assert not finished("cron", args, stdout=b"same\n").changed
    with pytest.raises(ValidationError, match="need root"):
        planned("cron", name="n", job="x", cron_file="n")


def test_facts_are_filtered_in_what_is_registered():
    told = planned("setup", filter="ansible_user_*").result.values["ansible_facts"]
    assert set(told) == {
        "ansible_user_id", "ansible_user_dir", "ansible_user_uid", "ansible_user_gid", "ansible_user_shell",
        "gather_subset",
    }  # fmt: skip
    assert set(planned("setup", gather_subset="!all,!min,env").result.values["ansible_facts"]) == {
        "ansible_env",
        "gather_subset",
    }


def test_arguments_against_a_specification():
    spec = {"n": {"type": "int", "required": True}, "l": {"type": "list", "elements": "int", "choices": [1, 2]}}
    assert problems(spec, {"n": "3", "l": [1]}) == []
    assert problems(spec, {}) == ["missing required arguments: n"]
    assert problems(spec, {"n": 1, "l": [3]}) == ["value of l must be one or more of: 1, 2, got: 3"]
    assert problems({"d": {"type": "dict", "options": spec}}, {"d": {"n": 1, "o": 2}}) == [
        "d.o. Supported parameters include: l, n."
    ]


def test_a_name_that_is_refused_is_no_module():
    assert not (set(ROOT_ONLY) | LATER) & set(MODULES)
