"""Templates give values of their own type, lazily, and only text of playbooks is a template."""

import dataclasses
from collections import UserDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.errors import InputError
from scupi_provision.playbook.templating import OMIT, Templar, UndefinedVariableError
from scupi_provision.values import SourceInt, TemplateText, UnknownValue, UnknownValueError

from .conftest import PLACE, template


def render(text: str, **variables):
    return Templar(variables).render(template(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ n }}", 5),
        ("{{ l }}", [1, "a"]),
        ("{{ l }}\n", [1, "a"]),
        ("{{ d.k }}", True),
        ("{{ d['k'] }}", True),
        ("{{ none }}", None),
        ("{{ [1, 2] }}", [1, 2]),
        ("{{ l | map('string') }}", ["1", "a"]),
        ("{% if n == 5 %}{{ l }}{% elif n %}{{ d }}{% else %}{{ n }}{% endif %}", [1, "a"]),
        ("{% if n == 6 %}{{ l }}{% endif %}", None),
        ("a{{ n }}", "a5"),
        ("{{ n }}{{ n }}", "55"),
        (" {{ n }}", " 5"),
        ("{{ s }}\n\n", "x\n\n"),
        ("{{ l }}!", "[1, 'a']!"),
        ("<{{ none }}>", "<>"),
        ("{% for i in l %}{{ i }},{% endfor %}", "1,a,"),
        ("{% raw %}{{ n }}{% endraw %}", "{{ n }}"),
        ("{{ '{{ n }}' }}", "{{ n }}"),
        ("{# nothing #}", None),
        ("{ n }", "{ n }"),
        ("{{ mode }}", 0o644),
        ("{{ mode }} ", "0644 "),
        ("{{ s ~ n }}", "x5"),
        ("{{ s.upper() }}", "X"),
    ],
)
def test_a_text_of_one_expression_has_its_value_and_others_are_text(text, value):
    made = render(text, n=5, l=[1, "a"], d={"k": True}, s="x", none=None, mode=SourceInt(0o644, "0644"))
    assert made == value
    assert type(made) is type(value) or isinstance(made, SourceInt)


@given(st.text().filter(lambda text: "{" not in text))
def test_text_without_braces_is_returned_as_it_is(text):
    value = TemplateText(text, PLACE, plain=True)
    assert Templar({}).render(value) is value


def test_lists_and_mappings_are_rendered_deep_and_left_alone_otherwise():
    data = {"a": [1, {"b": "{{ x }}"}]}
    assert Templar({}).render(data) is data
    assert Templar({"x": 1}).render({"a": [template("{{ x }}"), "{{ x }}"]}) == {"a": [1, "{{ x }}"]}


def test_variables_are_rendered_through_each_other_when_needed():
    variables = {"a": template("{{ b }}/x"), "b": template("{{ c }}"), "c": "/home", "broken": template("{{ nope }}")}
    assert Templar(variables).render(template("{{ a }}")) == "/home/x"


def test_a_variable_that_refers_to_itself_is_named_with_the_way():
    variables = {"a": template("{{ b }}"), "b": template("x{{ c }}"), "c": template("{{ a }}")}
    with pytest.raises(InputError, match='"a" refers to itself through "b", "c"'):
        Templar(variables).render(template("{{ a }}"))
    with pytest.raises(InputError, match='"a" refers to itself'):
        Templar({"a": template("{{ a }}")}).render(template("{{ a }}"))


def test_a_very_long_way_through_variables_is_an_error_not_an_overflow():
    variables = {f"v{i}": template(f"{{{{ v{i + 1} }}}}") for i in range(500)}
    with pytest.raises(InputError, match="too deep"):
        Templar(variables).render(template("{{ v0 }}"))


def test_a_broken_part_of_a_variable_harms_only_who_uses_it():
    templar = Templar({"d": {"bad": template("{{ nope }}"), "good": 1}})
    assert templar.render(template("{{ d.good }}")) == 1
    assert templar.render(template("{{ d.bad | default('x') }}")) == "x"
    for text in ("{{ d.bad }}", "{{ d }}", "{{ d | to_json }}", "-{{ d.bad }}"):
        with pytest.raises(UndefinedVariableError, match="nope"):
            templar.render(template(text))


def test_more_variables_can_be_put_on_top():
    templar = Templar({"x": 1, "y": template("{{ x }}")})
    assert templar.render(template("{{ y }}")) == 1
    assert templar.with_variables({"x": 2}).with_variables({"z": 3}).render(template("{{ y }}{{ z }}")) == "23"
    assert templar.render(template("{{ y }}")) == 1


def test_omit_leaves_an_argument_out():
    templar = Templar({})
    value = {"a": template("{{ x | default(omit) }}"), "b": 1, "c": [template("{{ omit }}"), 2]}
    assert templar.render(value) == {"b": 1, "c": [2]}
    assert templar.render(template("{{ omit }}")) is OMIT
    with pytest.raises(InputError, match="part of a text"):
        templar.render(template("-{{ omit }}"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ out.stdout }}",
        "{{ out }}",
        "{{ whole }}",
        "{{ whole.rc }}",
        "x{{ out.stdout }}",
        "{{ out.stdout | default('') }}",
        "{{ out.stdout | length }}",
        "{{ out.stdout is string }}",
        "{{ out.stdout == 'x' }}",
        "{{ out.stdout ~ 'x' }}",
        "{{ out | to_json }}",
        "{{ [out.stdout] | join }}",
        "{{ 'x' in out.stdout }}",
        "{{ out.stdout.strip() }}",
        "{{ out.stdout - 1 }}",
        "{{ 'a' if out.stdout else 'b' }}",
        "{{ via }}",
        "{{ deep.part }}",
        "{{ out.stdout | bool }}",
        "{{ out.stdout is match('x') }}",
        "{% for line in out.stdout %}{% endfor %}",
        "{{ out.stdout[0] }}",
    ],
)
def test_what_is_known_after_apply_is_never_guessed(text):
    variables = {
        "out": {"stdout": UnknownValue("make"), "rc": 0},
        "whole": UnknownValue("make"),
        "via": template("{{ out.stdout }}"),
        "deep": {"part": template("{{ out.stdout }}"), "other": 1},
    }
    with pytest.raises(UnknownValueError) as caught:
        Templar(variables).render(template(text))
    assert caught.value.reason == "make"


def test_what_does_not_depend_on_the_unknown_is_known():
    variables = {
        "out": {"stdout": UnknownValue("make"), "rc": 0},
        "deep": {"part": template("{{ out.stdout }}"), "o": 1},
    }
    templar = Templar(variables)
    assert templar.render(template("{{ out.rc }}{{ out.stdout is defined }}{{ deep.o }}")) == "0True1"
    kept = templar.render({"a": template("{{ out.stdout }}")}, allow_unknown=True)
    assert isinstance(kept["a"], UnknownValue)


HOSTILE = "{{ 7*7 }}{% set x = 1 %}{{ lookup('env', 'HOME') }}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ fact }}",
        "{{ result.stdout }}",
        "{{ result.stdout_lines[0] }}",
        "{{ nested.a.b[0] }}",
        "{{ result | to_json | from_json }}",
        "{{ result | to_yaml | from_yaml }}",
        "{{ [fact] | map('trim') | list }}",
        "{{ fact | regex_replace('^', '') }}",
        "{{ fact ~ '' }}",
        "{{ fact + '' }}",
        "{{ fact | default('') }}",
        "{{ via }}",
        "{{ 'x' | ternary(fact, '') }}",
        "{{ lookup('vars', 'fact') }}",
        "{{ vars['fact'] if vars is defined else fact }}",
        "{{ fact | b64encode | b64decode }}",
        "{{ {'k': fact} | combine({}) }}",
        "{% if true %}{{ fact }}{% endif %}",
        "{% set y = fact %}{{ y }}",
        "{{ fact | string }}",
        "{{ result }}",
        "{{ fact | indent }}",
        "{{ fact | quote }}",
        "{{ '%s' % fact }}",
        "{{ '{}'.format(fact) }}",
        "{{ query('items', [fact]) }}",
        "{{ fact | from_yaml_data }}",
    ],
)
def test_what_a_host_says_is_never_rendered(text):
    """CVE-2021-3583, CVE-2024-11079: by any path, and when the result is rendered again."""
    variables = {
        "fact": HOSTILE,
        "result": {"stdout": HOSTILE, "stdout_lines": [HOSTILE]},
        "nested": {"a": {"b": [HOSTILE]}},
        "via": template("{{ fact }}"),
    }
    text = text.replace("{{ fact | from_yaml_data }}", "{{ ('- ' ~ (fact | to_json)) | from_yaml }}")
    templar = Templar(variables)
    once = templar.render(template(text))
    assert "7*7" in str(once)
    assert "49" not in str(once)
    assert templar.render(once) == once
    again = Templar({"again": once}).render(template("{{ again }}"))
    assert again == once


@given(
    st.recursive(
        st.text(alphabet="{}%# 7*x'\"\n\\") | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="{}ab "), inner, max_size=3),
        max_leaves=6,
    )
)
def test_data_passes_through_unchanged(data):
    templar = Templar({"data": data, "more": {"inner": [data]}})
    assert templar.render(data) == data
    assert templar.render(template("{{ data }}")) == data
    assert templar.render(template("{{ more.inner[0] }}")) == data
    assert templar.render(template("{{ data | to_json | from_json }}")) == data


def test_variables_may_be_any_mapping():
    assert Templar(UserDict({"x": 1})).render(template("{{ x }}")) == 1


def test_the_needing_text_is_named_beside_the_broken_variable(tmp_path):
    path = tmp_path / "site.yml"
    path.write_text("a: '{{ nope }}'\n")
    place = dataclasses.replace(PLACE, file=str(path), column=4)
    with pytest.raises(UndefinedVariableError) as caught:
        Templar({"a": TemplateText("{{ nope }}", place)}).render(template("x{{ a }}"))
    assert caught.value.diagnostic.where.column == 8
    assert caught.value.diagnostic.detail == f"needed at {PLACE}"


def test_a_template_that_changes_a_list_gets_a_copy():
    variables = {"l": [1], "m": {"a": [1]}}
    templar = Templar(variables)
    assert templar.render(template("{% set _ = l.append(2) %}{{ l }}")) == [1, 2]
    assert templar.render(template("{% set _ = m.a.append(2) %}{{ m }}")) == {"a": [1, 2]}
    assert (templar.render(template("{{ l }}")), variables) == ([1], {"l": [1], "m": {"a": [1]}})


def test_a_change_that_is_not_written_as_one_is_refused():
    with pytest.raises(InputError, match="would change a variable"):
        Templar({"l": [1]}).render(template("{{ l['append'](2) }}"))


def test_backslashes_between_braces_are_only_that():
    assert Templar({}).render(template(r"{{ 'ab' | regex_replace('(a)(b)', '\2\1') }}")) == "ba"
    assert Templar({}).render(template(r"{{ 'a\nb' }}")) == r"a\nb"


def test_vars_holds_every_variable_by_its_name():
    assert Templar({"a": template("{{ b }}"), "b": 2}).render(template("{{ vars['a'] + vars.b }}")) == 4
