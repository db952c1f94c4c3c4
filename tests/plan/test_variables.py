"""Which of several definitions of a variable counts, in the order that Ansible documents."""

import pytest

FROM_WEAKEST = [
    "role defaults",
    "inventory all",
    "inventory group",
    "inventory host",
    "facts",
    "play vars",
    "role vars",
    "task vars",
    "set_fact",
    "role parameters",
    "extra vars",
]


def define(plays, layers):
    """A play whose role says `x` of these layers, each of which defines it to be its own name."""
    value = {layer: f"x: {layer}" for layer in layers}
    plays.variables(
        all={"x": "inventory all"} if "inventory all" in layers else {},
        groups={"x": "inventory group"} if "inventory group" in layers else {},
        host={"x": "inventory host"} if "inventory host" in layers else {},
    )
    plays.extra = {"x": "extra vars"} if "extra vars" in layers else {}
    plays.write("roles/r/defaults/main.yml", value.get("role defaults", "{}"))
    plays.write("roles/r/vars/main.yml", value.get("role vars", "{}"))
    name = "ansible_user_id" if "facts" in layers else "x"
    fact = "- set_fact: {x: set_fact}\n" if "set_fact" in layers else ""
    task = "\n  vars: {x: task vars}" if "task vars" in layers else ""
    plays.write("roles/r/tasks/main.yml", f"{fact}- debug: {{msg: '{{{{ {name} }}}}'}}{task}\n")
    play = "  vars: {x: play vars}\n" if "play vars" in layers else ""
    role = "{role: r, x: role parameters}" if "role parameters" in layers else "r"
    return f"- hosts: all\n{play}  roles: [{role}]\n"


@pytest.mark.parametrize("layer", [layer for layer in FROM_WEAKEST if layer != "facts"])
def test_a_layer_wins_over_all_weaker_ones(plays, layer):
    layers = [name for name in FROM_WEAKEST[: FROM_WEAKEST.index(layer) + 1] if name != "facts"]
    assert plays.told(define(plays, layers))[-1] == layer


def test_play_vars_win_over_facts_and_facts_over_the_inventory(plays):
    plays.variables(host={"ansible_user_id": "inventory"})
    text = "- hosts: all\n{vars}  tasks: [{{debug: {{msg: '{{{{ ansible_user_id }}}}'}}}}]\n"
    assert plays.told(text.format(vars="")) == ["student"]
    assert plays.told(text.format(vars="  vars: {ansible_user_id: play}\n")) == ["play"]


def test_the_loop_variable_wins_over_all_but_extra_vars(plays):
    text = """
        - set_fact: {item: fact}
        - debug: {msg: "{{ item }}"}
          loop: [loop]
          vars: {item: task}
    """
    assert plays.told(text) == ["loop"]


def test_inner_vars_win_over_outer_ones(plays):
    told = plays.told("""
        - hosts: all
          vars: {a: play, b: play, c: play, d: play}
          tasks:
            - block:
                - block:
                    - debug: {msg: "{{ a }} {{ b }} {{ c }} {{ d }}"}
                      vars: {d: task}
                  vars: {c: inner, d: inner}
              vars: {b: outer, c: outer, d: outer}
    """)
    assert told == ["play outer inner task"]


def test_variables_of_one_role_do_not_hide_those_of_another(plays):
    for name in ("one", "two"):
        plays.write(f"roles/{name}/defaults/main.yml", f"mine: {name} default\nshared: {name}\n")
        plays.write(f"roles/{name}/vars/main.yml", f"fixed: {name} var\n")
        plays.write(f"roles/{name}/tasks/main.yml", "- debug: {msg: '{{ mine }} {{ fixed }} {{ role_name }}'}\n")
    assert plays.told("- hosts: all\n  roles: [one, two]\n") == ["one default one var one", "two default two var two"]


def test_parameters_of_a_role_hold_for_that_use_only(plays):
    plays.write("roles/r/defaults/main.yml", "x: default\n")
    plays.write("roles/r/tasks/main.yml", "- debug: {msg: '{{ x }}'}\n")
    text = "- hosts: all\n  roles: [{role: r, x: one}, {role: r, vars: {x: two}}, r]\n"
    assert plays.told(text) == ["one", "two", "default"]


def test_vars_of_an_include_win_over_set_fact(plays):
    """Ansible's "include params", the strongest but --extra-vars."""
    plays.write("more.yml", "- debug: {msg: '{{ x }}'}\n")
    text = """
        - set_fact: {x: fact}
        - include_tasks: more.yml
          vars: {x: include}
    """
    assert plays.told(text) == ["include"]


def test_variables_are_rendered_when_they_are_used(plays):
    told = plays.told("""
        - hosts: all
          vars: {greeting: "hello {{ who }}"}
          tasks:
            - debug: {msg: "{{ greeting }}"}
              vars: {who: a}
            - set_fact: {who: b}
            - debug: {msg: "{{ greeting }}"}
    """)
    assert told == ["hello a", "hello b"]


def test_text_from_a_host_is_never_a_template(plays):
    plays.memory.facts = {**plays.memory.facts, "user": "{{ 6 * 7 }}"}
    assert plays.told("- debug: {msg: '{{ ansible_user_id }}'}") == ["{{ 6 * 7 }}"]
    applied = plays.apply("""
        - shell: "echo '{{ \\"{{\\" }} 6 * 7 }}'"
          register: said
        - debug: {msg: "{{ said.stdout }}"}
    """)
    assert applied.messages[-1] == "{{ 6 * 7 }}"


def test_environment_reaches_programs_inner_over_outer(plays):
    applied = plays.apply("""
        - hosts: all
          environment: {A: play, B: play, N: 1}
          tasks:
            - block:
                - shell: env A; env B; env C; env N
                  environment: {C: "{{ 'task' }}"}
                  register: said
              environment: {B: block}
            - debug: {msg: "{{ said.stdout }}"}
    """)
    assert applied.messages[-1] == "play\nblock\ntask\n1"


def test_an_environment_that_cannot_be_rendered_leaves_nothing_behind(plays):
    """The failed task's effects are not seen by the tasks after it."""
    plan = plays.check("""
        - copy: {dest: ~/f, content: x}
          environment: {A: "{{ nowhere }}"}
          ignore_errors: true
        - stat: {path: ~/f}
          register: st
        - debug: {msg: "{{ st.stat.exists }}"}
    """)
    assert plan.steps[-1].message == "false"
