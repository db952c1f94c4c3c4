"""A compiled script and an apply: the same account at the end, byte for byte, in every shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiled import SHELLS, Account, tarball, tree
from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskFinished

REFERENCE = """
- name: Everything
  hosts: admin1
  vars: {{greeting: "it's \\"so\\" $HOME"}}
  handlers:
    - name: count
      shell: echo called >>~/calls
  tasks:
    - {{name: folders, file: {{path: ~/a/b, state: directory, mode: "0750"}}}}
    - {{name: a file, copy: {{content: "{{{{ greeting }}}}\\n", dest: ~/a/b/file, mode: "0640"}}, notify: count}}
    - {{name: 文件, copy: {{content: "中文\\n", dest: ~/a/文件}}}}
    - {{name: a large file, copy: {{content: "{{{{ 'x' * 200000 }}}}", dest: ~/a/large}}}}
    - {{name: a template, template: {{src: greeting.j2, dest: ~/a/greeting, mode: "0600"}}}}
    - name: a block at the top
      blockinfile: {{path: ~/.bashrc, create: true, block: export ONE=1, insertbefore: BOF, validate: bash -n %s}}
    - {{name: a line at the end, lineinfile: {{path: ~/.bashrc, create: true, line: export TWO=2}}}}
    - {{name: is there a profile, stat: {{path: ~/.bash_profile}}, register: profile}}
    - {{name: what is there, stat: {{path: "~/{{{{ item }}}}"}}, loop: [.profile, .bash_login], register: profiles}}
    - name: another block for logins
      blockinfile: {{path: "~/{{{{ item.item }}}}", block: export FIVE=5, marker: "# {{mark}} five"}}
      loop: "{{{{ profiles.results }}}}"
      loop_control: {{label: "~/{{{{ item.item }}}}"}}
      when: item.stat.exists
    - name: a block for logins
      blockinfile: {{path: ~/.bash_profile, block: export THREE=3}}
      when: profile.stat.exists
    - {{name: a link, file: {{path: ~/link, src: a/b/file, state: link, force: true}}}}
    - name: a program
      source_build:
        name: hello
        version: "1"
        url: file://{archive}
        sha256: {sha256}
        creates: bin/hello
        check: bin/hello
        needs: [program:make]
      register: hello
    - {{name: on the PATH, path_entry: {{name: hello, path: "{{{{ hello.prefix }}}}/bin"}}}}
    - name: something that is run
      shell: printf made >made
      args: {{creates: ~/ma?e}}
    - {{name: again on the PATH, path_entry: {{name: a, path: ~/a}}}}
    - {{name: a new shell's line, shell_init: {{name: four, script: export FOUR=4}}}}
"""


@pytest.fixture
def account(account: Path, tmp_path: Path) -> Account:
    """An account on its first day, with a ~/.bashrc of its own whose last line is torn."""
    place = tmp_path / "place"
    (place / "templates").mkdir(parents=True)
    (place / "templates/greeting.j2").write_text("{% for n in range(3) %}{{ n }}: {{ greeting }}\n{% endfor %}")
    made = Account(account, place, {".bashrc": "# mine\nalias ll='ls -l'"})
    made.first_day()
    return made


@pytest.fixture
def reference(tmp_path: Path) -> str:
    archive = tmp_path / "hello-1.tar.gz"
    return REFERENCE.format(archive=archive, sha256=tarball(archive))


def changes(events):
    return [str(e.task) for e in events if isinstance(e, TaskFinished) and e.outcome is Outcome.CHANGED]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("profile", [None, "# my profile\n"], ids=["no profile", "a profile"])
def test_a_script_leaves_the_account_as_an_apply_would(account, reference, shell, profile) -> None:
    if profile:
        account.files[".bash_profile"] = profile
    account.first_day()
    applied = changes(account.apply(reference))
    wanted = tree(account.home)
    script = account.compile(reference).text
    account.first_day()
    ran = account.run(script, shell)
    assert (ran.code, sorted(ran.changed)) == (0, sorted(applied)), ran.output
    assert tree(account.home) == wanted
    again = account.run(script, shell)
    assert (again.code, again.changed) == (0, []), again.output
    assert tree(account.home) == wanted
    assert changes(account.apply(reference)) == []
    assert tree(account.home) == wanted


def test_what_is_not_known_without_a_look_is_refused_by_name(account) -> None:
    task = "{name: change it, lineinfile: {path: ~/.bashrc, regexp: A, line: B}}"
    with pytest.raises(InputError) as refused:
        account.compile(f"[{{hosts: admin1, tasks: [{task}]}}]")
    assert f"change it: what it does depends on what is in {account.home}/.bashrc" in str(refused.value)
    assert "--look-script" in str(refused.value)


def test_a_script_that_is_not_for_every_account_says_for_which_it_is_not(account) -> None:
    task = "{name: change it, lineinfile: {path: ~/.x, create: true, regexp: A, line: B}}"
    compiled = account.compile(f"[{{hosts: admin1, tasks: [{task}]}}]")
    (reason,) = compiled.stops
    assert reason.startswith(f"where {account.home}/.x is there: change it: what it does depends on what is in")
    (account.home / ".x").write_text("A\n")
    ran = account.run(compiled.text)
    assert (ran.code, "nothing was changed: change it: what it does depends" in ran.output) == (2, True)
    (account.home / ".x").unlink()
    assert account.run(compiled.text).changed == ["change it"]


def test_a_script_stops_where_it_was_made_for_another_account(account) -> None:
    playbook = "[{hosts: admin1, tasks: [{name: link, file: {path: ~/link, src: a, state: link, force: true}}]}]"
    script = account.compile(playbook).text
    account.files["link"] = "somebody's"
    account.first_day()
    before = tree(account.home)
    ran = account.run(script)
    assert ran.code == 2
    assert f"is at {account.home}/link, which this script was not made for" in ran.output
    assert tree(account.home) == before


@pytest.mark.parametrize("shell", SHELLS)
def test_a_look_is_as_good_as_being_there(account, reference, shell) -> None:
    """What only a look can tell: lines that are matched, a file of another content, a directory of another mode."""
    playbook = reference + (
        "    - {name: matched, lineinfile: {path: ~/.bashrc, regexp: '^alias ll', line: 'alias ll=x'}}\n"
        "    - {name: deeper, blockinfile: {path: ~/.bashrc, marker: '# {mark} x', insertafter: mine, block: X=2}}\n"
        "    - {name: kept, copy: {dest: ~/theirs, content: new, backup: false}}\n"
        "    - {name: gone, file: {path: ~/old, state: absent}}\n"
    )
    account.files |= {"theirs": "old", "old/file": "x", ".bash_profile": "# mine\n"}
    account.first_day()
    applied = changes(account.apply(playbook))
    wanted = tree(account.home)
    account.first_day()
    before = tree(account.home)
    looked = account.run(account.look_script(playbook).text, shell)
    assert (looked.code, tree(account.home)) == (0, before), looked.output
    # A web terminal wraps long lines, and its copies have blanks at their ends.
    pasted = "welcome\n" + "\n".join(f"{line[:50]}  \n{line[50:]}" for line in looked.output.splitlines()) + "\n$ "
    script = account.compile(playbook, look=pasted).text
    ran = account.run(script, shell)
    assert (ran.code, sorted(ran.changed)) == (0, sorted(applied)), ran.output
    assert tree(account.home) == wanted
    again = account.run(script, shell)
    assert (again.code, again.changed) == (0, []), again.output
    assert tree(account.home) == wanted
    assert changes(account.apply(playbook)) == []


SIMPLE = """
- hosts: admin1
  verify: admin1
  tasks:
    - {name: folder, file: {path: ~/d, state: directory}}
    - {name: file, copy: {dest: ~/d/f, content: one}}
  verify_tasks:
    - {name: it says one, expect: {command: cat d/f, stdout: one}}
    - {name: it is so, expect: {shell: "echo 'git v1.2'; exit 3", stdout_matches: '^git (x|v)[0-9.]+$', rc: 3}}
    - {name: it is there, expect: {path: ~/d/f, kind: file, mode: "0644", contains: on}}
    - {name: it lacks, expect: {command: cat d/f, stdout_lacks: two, stdout_contains: n}}
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_proves_what_it_has_made(account, shell) -> None:
    ran = account.run(account.compile(SIMPLE).text, shell)
    assert (ran.code, ran.changed) == (0, ["folder", "file"]), ran.output
    assert "4 checks passed" in ran.output


@pytest.mark.parametrize("shell", SHELLS)
def test_a_check_that_fails_ends_with_4_and_says_what_was_seen(account, shell) -> None:
    script = account.compile(SIMPLE.replace("stdout: one", "stdout: two").replace("contains: on", "contains: x")).text
    ran = account.run(script, shell)
    assert ran.code == 4, ran.output
    assert 'expected it to print "two", saw one' in ran.output
    assert "not proved: 2 of 4 checks failed" in ran.output


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("damage", ["cut", "altered", "a line lost"])
def test_a_script_that_has_not_arrived_whole_runs_nothing(account, shell, damage) -> None:
    script = account.compile(SIMPLE).text
    lines = script.splitlines(keepends=True)
    damaged = {
        "cut": script[: len(script) * 9 // 10],
        "altered": script.replace("S_CHANGED=0", "S_CHANGED=1", 1),
        "a line lost": "".join(lines[:500] + lines[501:]),
    }[damage]
    before = tree(account.home)
    ran = account.run(damaged, shell)
    assert ran.code != 0
    assert tree(account.home) == before


def test_every_beginning_of_a_script_runs_nothing(account) -> None:
    script = account.compile(SIMPLE).text
    before = tree(account.home)
    for length in [*range(0, 1500, 50), *range(1500, len(script) - 1, 4001), len(script) - 40]:
        assert not account.run(script[:length]).changed
        assert tree(account.home) == before


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_pasted_runs_whole_or_not_at_all(account, shell) -> None:
    pasted = account.compile(SIMPLE, pasted=True).text
    lines = pasted.splitlines(keepends=True)
    assert max(map(len, lines)) < 4096  # what a terminal takes as one line
    torn = account.paste("".join(lines[:100] + lines[101:]), shell)
    assert "paste it again" in torn.output
    assert not (account.home / "d").exists()
    ran = account.paste(pasted, shell)
    assert ran.changed == ["folder", "file"], ran.output


def test_a_run_that_was_killed_is_taken_up_by_the_next(account, reference) -> None:
    """Killed a little later each time, until it comes to its end: always the same account."""
    account.apply(reference)
    wanted = tree(account.home)
    script = account.compile(reference).text
    for delay in (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0):
        account.first_day()
        account.kill(script, delay)
        ran = account.run(script)
        assert ran.code == 0, ran.output
        found = tree(account.home)
        calls = found.pop("calls", None)  # a handler whose caller was done before the kill is not called again
        assert calls in {None, wanted["calls"]}
        assert found == {name: what for name, what in wanted.items() if name != "calls"}


SECRET = """
- hosts: admin1
  tasks:
    - {name: a secret, copy: {dest: ~/s, content: "hunter2"}, no_log: true}
"""


def test_secrets_stay_out_unless_they_are_asked_for(account) -> None:
    with pytest.raises(InputError, match="a secret: it has no_log, and a script is a file"):
        account.compile(SECRET)
    assert account.run(account.compile(SECRET, with_secrets=True).text).code == 0
    assert (account.home / "s").read_text() == "hunter2"


def test_a_script_that_is_too_large_is_refused_with_its_size(account) -> None:
    with pytest.raises(InputError, match=r"the script would have \d+ KiB, more than 10 KiB"):
        account.compile(SIMPLE, max_size=10 * 1024)


FACTS = """
- hosts: admin1
  tasks:
    - {name: for this libc, copy: {dest: ~/libc, content: "{{ ansible_facts.glibc }}"}}
"""


def test_a_fact_that_matters_is_compared_before_anything_is_changed(account) -> None:
    before = tree(account.home)
    ran = account.run(account.compile(FACTS, known={"glibc": "2.1"}).text)
    assert ran.code == 2
    assert "made for a host with libc = glibc 2.1; here it is glibc 2." in ran.output
    assert tree(account.home) == before


def test_a_fact_that_does_not_matter_is_not_asked_for(account) -> None:
    ran = account.run(account.compile(SIMPLE, known={"glibc": "2.1", "architecture": "vax", "tools": []}).text)
    assert ran.code == 0, ran.output


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ("{name: x, shell: exit 1, register: r, until: r.rc == 0}", "`until` is judged by provision"),
        ("{name: x, shell: exit 1, register: r, failed_when: r.rc == 2}", "`failed_when` is judged by provision"),
        ("{name: x, stat: {path: /etc/passwd}}", "what it does depends on what is at /etc/passwd"),
        ("{name: x, fail: {msg: never here}}", "never here"),
    ],
)
def test_what_a_script_cannot_do_is_refused_by_name(account, task, why) -> None:
    with pytest.raises(InputError) as refused:
        account.compile(f"[{{hosts: admin1, tasks: [{task}]}}]")
    assert f"x: {why}" in str(refused.value)


def test_a_task_that_waits_for_a_change_is_to_be_a_handler(account) -> None:
    tasks = "[{name: a, file: {path: ~/a, state: directory}, register: r}, {name: b, shell: ':', when: r is changed}]"
    with pytest.raises(InputError, match="b: its `when` asks whether another task has changed something"):
        account.compile(f"[{{hosts: admin1, tasks: {tasks}}}]")


def test_a_handler_runs_once_after_changes_and_not_again(account) -> None:
    playbook = """
    - hosts: admin1
      handlers:
        - {name: one, shell: echo one >>~/calls}
        - {name: two, shell: echo two >>~/calls, listen: both}
        - {name: never, shell: echo never >>~/calls}
      tasks:
        - {name: a, copy: {dest: ~/a, content: a}, notify: [one, both]}
        - {meta: flush_handlers}
        - {name: b, copy: {dest: ~/b, content: b}, notify: one}
    """
    script = account.compile(playbook).text
    assert account.run(script).code == 0
    assert (account.home / "calls").read_text() == "one\ntwo\none\n"
    (account.home / "b").unlink()
    assert account.run(script).changed == ["b", "one"]
    assert (account.home / "calls").read_text() == "one\ntwo\none\none\n"


def test_what_a_program_says_decides_nothing_in_a_script(account) -> None:
    tasks = "[{name: ask, shell: date, register: said}, {name: use, copy: {dest: ~/x, content: '{{ said.stdout }}'}}]"
    with pytest.raises(InputError, match="use: what it does depends on what `date` says, and a script cannot plan"):
        account.compile(f"[{{hosts: admin1, tasks: {tasks}}}]")


def test_two_scripts_at_once_are_one_after_the_other(account) -> None:
    slow = "[{hosts: admin1, tasks: [{name: slow, shell: sleep 2; echo x >>~/x, args: {creates: ~/never}}]}]"
    script = account.compile(slow).text
    first = account.start(script)
    account.wait_for(".provision/lock")
    second = account.run(script)
    assert second.code == 3
    assert "another run is at work on this account" in second.output
    first.communicate(timeout=30)
    assert first.returncode == 0


def test_a_change_that_would_lock_the_account_out_is_taken_back(account) -> None:
    """Every shell can parse it, and no ssh would get past it."""
    playbook = """
    - hosts: admin1
      tasks:
        - {name: fatal, blockinfile: {path: ~/.bashrc, block: exit 7, insertbefore: BOF, validate: bash -n %s}}
        - {name: harmless, copy: {dest: ~/x, content: x}}
    """
    script = account.compile(playbook, known={"shell": "/bin/bash"}).text
    ran = account.run(script, shell_of_account="/bin/bash")
    assert ran.code == 1
    assert "a fresh login no longer worked" in ran.output
    assert (account.home / ".bashrc").read_text() == account.files[".bashrc"]
    assert (account.home / "x").exists()
    assert not (account.home / ".provision/guard").exists()


def test_a_login_that_was_broken_before_is_not_blamed_on_the_script(account) -> None:
    account.files[".bashrc"] = "echo welcome\n"
    account.first_day()
    playbook = "[{hosts: admin1, tasks: [{name: line, lineinfile: {path: ~/.bashrc, line: A=1}}]}]"
    script = account.compile(playbook).text
    ran = account.run(script, shell_of_account="/bin/bash")
    assert (ran.code, ran.changed) == (0, ["line"]), ran.output
    assert "with and without these changes" in ran.output
    assert (account.home / ".bashrc").read_text() == "echo welcome\nA=1\n"
