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
        "    - {name: deeper, blockinfile: {path: ~/.bashrc, marker: '# {mark} x', insertafter: mine, block: export TWO=2}}\n"
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
