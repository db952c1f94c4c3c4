"""Ctrl-C and `kill -9`: the hosts come to rest, long builds go on and are joined, nothing half-made is seen."""

from __future__ import annotations

import hashlib
import io
import signal
import tarfile

import pytest
from newcomer import comes_true, daemon, ended, family, interrupt, lines_until, never, text_of

pytestmark = pytest.mark.lab

LONG = """
- name: Take long
  shell: echo $$ >started; sleep 317; touch finished
"""


def _sleepers(lab):
    return {pid: command for pid, command in family(daemon(lab)).items() if "sleep 317" in command}


def test_ctrl_c_ends_the_run_and_the_host_comes_to_rest(person, site, lab):
    running = person.start("apply", site(LONG), "--json")
    lines_until(running, lambda event: event["event"] == "TaskProgress")
    assert _sleepers(lab)
    interrupt(running)
    stopped = ended(running, 10)
    assert stopped.code == 130
    assert "Traceback" not in stopped.stderr
    assert "interrupted" in stopped.stderr
    assert comes_true(lambda: not family(daemon(lab)), 10), family(daemon(lab))
    assert not lab.home.joinpath("finished").exists()


def test_a_short_program_dies_with_a_killed_controller(person, site, lab):
    running = person.start("apply", site(LONG), "--json")
    lines_until(running, lambda event: event["event"] == "TaskProgress")
    interrupt(running, signal.SIGKILL)
    assert ended(running).code == -signal.SIGKILL
    assert comes_true(lambda: not family(daemon(lab)), 10), family(daemon(lab))
    assert not lab.home.joinpath(".provision/lock").exists()
    after = person.run("apply", site('- copy: {content: "x", dest: ~/x}'))
    assert after.code == 0, after.stderr


CONFIGURE = """\
#!/bin/sh
for word do case $word in --prefix=*) prefix=${word#--prefix=} ;; esac; done
cat >Makefile <<END
all:
\techo started >>$HOME/started
\tsleep 4
\techo 'echo slow 1.0' >program
install:
\tmkdir -p $prefix/bin
\tcp program $prefix/bin/slow
\tchmod 755 $prefix/bin/slow
END
"""


@pytest.fixture
def slow_source(lab):
    """A source that takes four seconds to build, on the lab's mirror: its url and hash."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("slow-1.0/configure")
        member.size, member.mode = len(CONFIGURE), 0o755
        archive.addfile(member, io.BytesIO(CONFIGURE.encode()))
    content = buffer.getvalue()
    lab.directory.joinpath("mirror", "slow-1.0.tar.gz").write_bytes(content)
    return f"http://127.0.0.1:{lab.mirror_port}/slow-1.0.tar.gz", hashlib.sha256(content).hexdigest()


@pytest.fixture
def slow_build(site, slow_source):
    url, digest = slow_source
    return site(f"""
    - hosts: admin1
      roles: [shell_env]
      tasks:
        - name: Build slow
          source_build: {{name: slow, version: "1.0", url: "{url}", sha256: {digest}, creates: bin/slow}}
          register: built
        - path_entry: {{name: slow, path: "{{{{ built.prefix }}}}/bin"}}
    """)


def _whole(home):
    return list(home.glob(".provision/store/slow-*/.ok"))


def _is_half_made(home):
    """Whether new shells are led to a tree that is not whole; what uses it is looked at first, as it comes last."""
    return "/store/slow-" in text_of(home / ".provision/current/env.sh") and not _whole(home)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_build_outlives_its_controller_and_is_joined(person, slow_build, account, number):
    with never(lambda: _is_half_made(account)):
        running = person.start("apply", slow_build, "--json")
        lines_until(running, lambda event: event["event"] == "TaskProgress" and event["phase"] == "make")
        interrupt(running, number)
        ended(running)
        assert not _whole(account)
        result = person.run("apply", slow_build, "--json")
    assert result.code == 0, result.stderr
    assert any("joined" in notice["text"] for notice in result.of("Notice"))
    assert account.joinpath("started").read_text() == "started\n", "the build was started twice"
    assert len(_whole(account)) == 1
    assert person.run("apply", slow_build, "--json").changes() == []


def test_the_result_of_a_build_that_ended_meanwhile_is_taken(person, slow_build, account):
    running = person.start("apply", slow_build, "--json")
    lines_until(running, lambda event: event["event"] == "TaskProgress" and event["phase"] == "make")
    interrupt(running, signal.SIGKILL)
    ended(running)
    assert comes_true(lambda: _whole(account), 15)
    result = person.run("apply", slow_build, "--json")
    assert result.code == 0, result.stderr
    assert account.joinpath("started").read_text() == "started\n", "the build was started twice"
    assert "/store/slow-" in text_of(account / ".provision/current/env.sh")
