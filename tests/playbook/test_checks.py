"""What is wrong between the parts of a site: variables, handlers, files, parameters of roles."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.checks import validate_site

FACTS = frozenset({"ansible_distribution", "ansible_user_id"})


@pytest.fixture
def check(site):
    def run(text: str) -> list[str]:
        playbook = site.load(text)
        try:
            validate_site(
                playbook, inventory_names={"from_inventory"}, extra_names={"from_command_line"}, fact_names=FACTS
            )
        except InputError as error:
            return site.shorten(error)
        return []

    return run


def test_an_undefined_variable_is_found_with_its_place_and_what_was_meant(check):
    text = '- hosts: all\n  vars: {git_version: 1}\n  tasks:\n    - debug:\n        msg: "git {{ gti_version }}"\n'
    assert check(text) == ['site.yaml:5:22: undefined variable "gti_version" (did you mean "git_version"?)']


def test_the_excerpt_shows_the_line(site, check):
    playbook = site.load('- hosts: all\n  tasks:\n    - debug: {msg: "{{ nope }}"}\n')
    with pytest.raises(InputError) as caught:
        validate_site(playbook, inventory_names=set(), extra_names=set(), fact_names=set())
    assert caught.value.diagnostic.excerpt == '    - debug: {msg: "{{ nope }}"}'
    assert caught.value.diagnostic.where.column == 24


@pytest.mark.parametrize(
    "task",
    [
        "{debug: {msg: '{{ from_inventory }} {{ from_command_line }} {{ play_var }}'}}",
        "{debug: {msg: '{{ ansible_distribution }} {{ ansible_facts.x }} {{ inventory_hostname }} {{ omit }}'}}",
        "{debug: {msg: '{{ hostvars[groups.all[0]] }} {{ playbook_dir }} {{ ansible_check_mode }}'}}",
        '{debug: {msg: \'{{ range(3) | list }} {{ lookup("env", "HOME") }} {{ query("env", "A") }}\'}}',
        "{debug: {msg: '{{ nope | default(1) }} {{ nope.x.y | d(2) }}'}}",
        "{debug: {msg: '{{ nope if nope is defined else 2 }}'}}",
        "{debug: {msg: '{{ nope }}'}, when: nope is defined}",
        "{debug: {msg: '{{ nope }}'}, when: [nope is defined, nope > 2]}",
        "{debug: {msg: '{{ item }} {{ i }}'}, loop: [1], loop_control: {index_var: i, label: '{{ item }}'}}",
        "{debug: {msg: '{{ v }}'}, loop: [1], loop_control: {loop_var: v}}",
        "{debug: {msg: '{{ own }}'}, vars: {own: 1}}",
        "{command: a, register: later, changed_when: later.rc == 0, until: later is succeeded}",
        "{debug: {msg: '{{ set_elsewhere }} {{ registered_elsewhere.stdout }}'}}",
        "{debug: {msg: '{% set x = 1 %}{{ x }}{% for y in [1] %}{{ y }}{{ loop.index }}{% endfor %}'}}",
        "{debug: {var: play_var}}",
        "{block: [{debug: {msg: '{{ b }}'}}], vars: {b: 1}}",
        "{block: [{command: a}], rescue: [{debug: {msg: '{{ ansible_failed_result }}'}}]}",
        "{debug: {msg: !unsafe '{{ nope }}'}}",
    ],
)
def test_what_something_defines_is_accepted(check, task):
    text = (
        "- hosts: all\n  vars: {play_var: 1}\n  tasks:\n    - "
        + task
        + "\n    - {set_fact: {set_elsewhere: 1}}\n    - {command: a, register: registered_elsewhere}\n"
    )
    assert check(text) == []


@pytest.mark.parametrize(
    ("task", "column"),
    [
        ("{debug: {msg: '{{ nope }}'}}", 25),
        ("{debug: {msg: {a: ['{{ nope }}']}}}", 30),
        ("{debug: {var: nope}}", 21),
        ("{assert: {that: [nope > 2, 1 == 1]}}", 24),
        ("{command: a, when: nope}", 26),
        ("{command: a, when: 'x == nope'}", 32),
        ("{command: a, changed_when: nope}", 34),
        ("{command: a, environment: {A: '{{ nope }}'}}", 41),
        ("{command: a, loop: '{{ nope }}'}", 30),
        ("{command: 'echo {{ item }}'}", 26),
        ("{command: a, notify: '{{ nope }}'}", 32),
        ("{command: a, ignore_errors: '{{ nope }}'}", 39),
        ("{block: [{command: a, when: nope}], always: [{command: b}]}", 35),
    ],
)
def test_a_name_that_nothing_defines_is_found_everywhere(check, task, column):
    text = f"- hosts: all\n  vars: {{x: 1}}\n  tasks:\n    - {task}\n"
    if "item" in task:
        assert check(text)[0].startswith(f'site.yaml:4:{column}: undefined variable "item"')
    else:
        assert [problem.split(" (")[0] for problem in check(text)] == [
            f'site.yaml:4:{column}: undefined variable "nope"'
        ]


def test_values_of_variables_are_checked_too(site, check):
    site.write("roles/r/defaults/main.yml", 'a: "{{ nope }}"\nb: "{{ a }}-{{ item }}"\n')
    site.write("roles/r/tasks/main.yml", "- {debug: {msg: '{{ b }}'}, loop: [1]}\n")
    text = '- hosts: all\n  vars: {p: "{{ a }}", q: "{{ nada }}"}\n  roles: [r]\n'
    assert [problem.split(" (")[0] for problem in check(text)] == ['site.yaml:2:31: undefined variable "nada"']


@pytest.mark.parametrize(
    "task",
    [
        "{command: 'echo {{ nope }}', when: x == 2}",
        "{command: 'echo {{ nope }}', loop: '{{ y }}'}",
        "{command: 'echo {{ nope if x == 2 else x }}'}",
        "{command: a, when: [x == 2, nope]}",
        "{command: a, when: x == 2 and nope}",
        "{command: 'echo {{ nope }}', tags: never}",
        "{command: 'echo {{ nope }}', ignore_errors: true}",
        "{copy: {src: not/here, dest: ~/f}, ignore_errors: yes}",
        "{block: [{command: 'echo {{ nope }}'}, {copy: {src: not/here, dest: ~/f}}], rescue: [{command: b}]}",
        "{command: a, vars: {unused: '{{ nope }}'}}",
        "{block: [{command: a}], rescue: [{command: '{{ nope }}'}]}",
        "{debug: {msg: '{{ ansible_selinux.status }}'}}",
        "{copy: {src: nope.txt, dest: x}, when: x == 2}",
    ],
)
def test_what_a_run_may_never_need_is_not_refused(check, task):
    """A role of somebody else asks for a variable only where its user has switched something on."""
    assert check(f"- hosts: all\n  vars: {{x: 1, y: []}}\n  tasks:\n    - {task}\n") == []


@pytest.mark.parametrize(
    "definition",
    [
        "vars_files: ['{{ x }}.yml']",
        "pre_tasks: [{include_vars: {file: '{{ x }}.yml'}}]",
        "pre_tasks: [{add_host: {name: n, told: 1}}]",
        "pre_tasks: [{include_tasks: '{{ x }}.yml'}]",
        "pre_tasks: [{set_fact: {'{{ x }}': 1}}]",
    ],
)
def test_what_a_run_may_define_is_not_called_undefined(check, definition):
    assert (
        check(f"- hosts: all\n  vars: {{x: 1}}\n  {definition}\n  tasks: [{{debug: {{msg: '{{{{ told }}}}'}}}}]\n")
        == []
    )


def test_template_syntax_is_checked(check):
    found = check("- hosts: all\n  tasks:\n    - debug: {msg: '{{ a b }}'}\n    - {command: a, when: 'x =='}\n")
    assert [problem.split(" ")[0] for problem in found] == ["site.yaml:3:26:", "site.yaml:4:31:"]


def test_names_in_template_files_are_checked(site, check):
    site.write("templates/env.sh.j2", "export A={{ a }}\n{% if b is defined %}{{ b }}{% endif %}\nC={{ cc }}\n")
    found = check("- hosts: all\n  vars: {a: 1, c_c: 2}\n  tasks:\n    - template: {src: env.sh.j2, dest: ~/env.sh}\n")
    assert found == ['templates/env.sh.j2:3:6: undefined variable "cc" (did you mean "c_c"?)']


def test_a_broken_template_file_is_reported_in_its_own_place(site, check):
    site.write("roles/r/templates/x.j2", "ok\n{% if a %}\n")
    site.write("roles/r/tasks/main.yml", "- template: {src: x.j2, dest: x}\n")
    (found,) = check("- hosts: all\n  roles: [r]\n")
    assert found.startswith("roles/r/templates/x.j2:")


@pytest.mark.parametrize("task", ["template: {src: nope.j2, dest: x}", "copy: {src: nope.txt, dest: x}"])
def test_a_file_that_is_not_there_is_found(check, task):
    (found,) = check(f"- hosts: all\n  tasks:\n    - {task}\n")
    assert found.startswith("site.yaml:3:")
    assert "there is no file" in found


def test_a_file_of_the_host_is_not_searched_here(check):
    assert check("- hosts: all\n  tasks:\n    - copy: {src: nope.txt, dest: x, remote_src: true}\n") == []


def test_files_of_included_tasks_are_followed_with_their_loop(site, check):
    site.write("more.yml", "- debug: {msg: '{{ one }} {{ nope }}'}\n")
    text = "- hosts: all\n  tasks:\n    - {include_tasks: more.yml, loop: [1], loop_control: {loop_var: one}}\n"
    assert [problem.split(" (")[0] for problem in check(text)] == ['more.yml:1:30: undefined variable "nope"']


def test_a_notify_that_no_handler_answers_is_found(check):
    text = (
        "- hosts: all\n  tasks:\n    - {command: a, notify: [reload shel, topic, '{{ x }}']}\n"
        "  vars: {x: reload shell}\n"
        "  handlers:\n    - {name: reload shell, command: b}\n    - {name: c, listen: topic, command: c}\n"
    )
    assert check(text) == ['site.yaml:3:29: no handler is called "reload shel" (did you mean "reload shell"?)']


SPECS = """\
argument_specs:
  main:
    options:
      version: {type: str, required: true, description: Which one.}
      jobs: {type: int}
      kind: {choices: [small, large]}
      flags: {type: list, elements: str}
"""


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("version: 3.10, jobs: 2, kind: small, flags: [a]", []),
        ("jobs: 2", ['site.yaml:2:18: role "r" needs "version" (give it below the role: `version: …`)']),
        ("version: 1, jobs: many", ["site.yaml:2:39: jobs: must be a whole number"]),
        ("version: 1, kind: smal", ['site.yaml:2:39: kind: "smal" is not one of small, large (did you mean "small"?)']),
        ("version: 1, flags: [[a]]", ["site.yaml:2:42: an element of flags: must be text"]),
        ("version: 1, jbos: 2", ['site.yaml:2:33: role "r" has no parameter "jbos" (did you mean "jobs"?)']),
        ("version: '{{ from_inventory }}', jobs: '{{ from_inventory }}'", []),
    ],
)
def test_parameters_of_roles_are_checked_by_their_specs(site, check, parameters, expected):
    site.write("roles/r/meta/argument_specs.yml", SPECS)
    site.write("roles/r/tasks/main.yml", "- debug: {msg: '{{ version }}'}\n")
    assert check(f"- hosts: all\n  roles: [{{role: r, {parameters}}}]\n") == expected


def test_a_required_parameter_may_come_from_anywhere(site, check):
    site.write("roles/r/meta/argument_specs.yml", SPECS.replace("version", "from_inventory"))
    assert check("- hosts: all\n  roles: [r]\n") == []
