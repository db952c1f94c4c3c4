"""Roles: found, read, and run in order with what they depend on."""

import pytest
from scupi_provision.errors import InputError


def commands(items):
    return [item.arguments["_raw"] for item in items]


def test_a_role_has_all_its_parts(site):
    site.write("roles/git/defaults/main.yml", "version: 2.47\n")
    site.write("roles/git/vars/main.yaml", "inner: 1\n")
    site.write("roles/git/tasks/main.yml", "- command: build\n  notify: done\n")
    site.write("roles/git/handlers/main.yml", "- name: done\n  command: handler\n")
    site.write("roles/git/verify/main.yml", "- command: git --version\n")
    play = site.load(
        "- hosts: all\n  roles:\n    - {role: git, prefix: ~/git, vars: {jobs: 2}, tags: t, when: w}\n"
    ).plays[0]
    (role,) = play.roles
    assert (role.name, role.parameters, role.given) == ("git", {"prefix": "~/git"}, {"jobs": 2})
    assert role.variables == {"inner": 1}
    assert str(role.defaults["version"]) == "2.47"
    (task,) = play.tasks
    assert task.role == role
    assert (task.inherited.when, task.inherited.tags) == (("w",), ("t",))
    assert commands(play.handlers) == ["handler"]
    assert commands(role.verify) == ["git --version"]


def test_dependencies_run_first_and_once(site):
    for name in ("base", "left", "right"):
        site.write(f"roles/{name}/tasks/main.yml", f"- command: {name}\n")
    site.write("roles/left/meta/main.yml", "dependencies: [base]\n")
    site.write("roles/right/meta/main.yml", "dependencies:\n  - role: base\n  - {role: base, x: 1}\n")
    play = site.load("- hosts: all\n  roles: [left, right, left]\n").plays[0]
    assert commands(play.tasks) == ["base", "left", "base", "right"]
    assert [role.name for role in play.roles] == ["base", "left", "base", "right"]


def test_a_role_may_allow_duplicates(site):
    site.write("roles/a/tasks/main.yml", "- command: a\n")
    site.write("roles/a/meta/main.yml", "allow_duplicates: true\n")
    assert commands(site.load("- hosts: all\n  roles: [a, a]\n").plays[0].tasks) == ["a", "a"]


def test_roles_that_need_one_another_are_refused(site):
    site.write("roles/a/meta/main.yml", "dependencies: [b]\n")
    site.write("roles/b/meta/main.yml", "dependencies: [a]\n")
    assert site.problems("- hosts: all\n  roles: [a]\n") == ['roles/b/meta/main.yml:1:16: role "a" needs itself']


def test_a_missing_role_says_where_it_was_searched_and_what_was_meant(site):
    site.write("roles/conda/tasks/main.yml", "")
    with pytest.raises(InputError) as caught:
        site.load("- hosts: all\n  roles: [cnoda]\n")
    problem = caught.value.diagnostic
    assert problem.hint == 'did you mean "conda"?'
    assert str(site.folder / "roles" / "cnoda") in problem.detail


def test_roles_beside_the_folder_of_playbooks_are_found(site):
    from scupi_provision.playbook.load import load_playbook
    from tests.playbook.conftest import REGISTRY

    site.write("roles/a/tasks/main.yml", "- command: a\n")
    path = site.write("playbooks/site.yaml", "- hosts: all\n  roles: [a]\n")
    assert commands(load_playbook(path, roles_paths=(), registry=REGISTRY).plays[0].tasks) == ["a"]


def test_tasks_import_and_include_roles(site):
    site.write("roles/a/tasks/main.yml", "- command: main\n")
    site.write("roles/a/tasks/other.yml", "- command: other\n")
    site.write("roles/a/handlers/main.yml", "- {name: h, command: h}\n")
    site.write("roles/a/defaults/main.yml", "d: 1\n")
    play = site.load(
        "- hosts: all\n  tasks:\n"
        "    - {import_role: {name: a}, vars: {v: 1}, when: w}\n"
        "    - include_role: {name: a, tasks_from: other}\n"
    ).plays[0]
    task, include = play.tasks
    assert (task.role.name, task.inherited.when, task.inherited.variables) == ("a", ("w",), ({"v": 1},))
    assert [role.name for role in play.roles] == ["a"]
    (other,) = include.load("a", {})
    assert (other.arguments, other.role.defaults) == ({"_raw": "other"}, {"d": 1})


def test_handlers_of_an_included_role_belong_to_the_play(site):
    site.write("roles/a/tasks/main.yml", "- {command: a, notify: h}\n")
    site.write("roles/a/handlers/main.yml", "- {name: h, command: h}\n")
    play = site.load("- hosts: all\n  tasks: [{include_role: {name: a}}]\n").plays[0]
    assert [handler.name for handler in play.handlers] == ["h"]
    assert play.roles == ()


def test_a_role_that_is_imported_twice_counts_once(site):
    site.write("roles/a/tasks/main.yml", "- command: a\n")
    site.write("roles/a/verify/main.yml", "- command: v\n")
    play = site.load("- hosts: all\n  tasks: [{import_role: name=a}, {import_role: name=a}]\n").plays[0]
    assert len(play.tasks) == 2
    assert len(play.roles) == 1


def test_handlers_may_import_and_include_tasks(site):
    site.write("h.yml", "- {name: h, command: h}\n")
    handlers = "[{import_tasks: h.yml}, {name: i, include_tasks: h.yml, listen: [topic]}]"
    play = site.load(f"- hosts: all\n  handlers: {handlers}\n").plays[0]
    assert [handler.name for handler in play.handlers] == ["h", "i"]
    assert play.handlers[1].listen == ("topic",)


def test_an_import_whose_file_a_template_names_is_found_later_and_hands_on_what_imports_do(site):
    site.write("one.yml", "- {name: h, command: h}\n")
    play = site.load("- hosts: all\n  tasks: [{import_tasks: '{{ x }}.yml', when: w, tags: t}]\n").plays[0]
    (include,) = play.tasks
    (task,) = include.tasks(lambda text: text.replace("{{ x }}", "one"))
    assert (include.inherited.when, include.inherited.tags) == ((), ("always",))
    assert (task.inherited.when, task.inherited.tags) == (("w",), ("t",))


def test_a_template_may_choose_the_file_of_a_role(site):
    site.write("roles/a/tasks/one.yml", "- command: one\n")
    (include,) = site.tasks("- include_role: {name: a, tasks_from: '{{ x }}'}")
    assert commands(include.tasks(lambda text: text.replace("{{ x }}", "one"))) == ["one"]


def test_a_part_that_is_asked_for_by_name_must_be_there(site):
    site.write("roles/a/tasks/install.yml", "- command: a\n")
    found = site.problems("- hosts: all\n  tasks:\n    - import_role: {name: a, tasks_from: instal}\n")
    assert found[0].startswith('site.yaml:3:42: there is no "instal" in ')
    assert found[0].endswith('(did you mean "install"?)')


def test_errors_in_a_role_are_reported_once(site):
    site.write("roles/a/tasks/main.yml", "- comand: a\n")
    site.write("roles/a/meta/main.yml", "allow_duplicates: true\n")
    found = site.problems("- hosts: all\n  roles: [a, a]\n")
    assert found == ['roles/a/tasks/main.yml:1:3: unknown module "comand" (did you mean "command"?)']
