"""What is wrong with a template is said at its place in the file."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import InputError
from scupi_provision.playbook.templating import Templar, UndefinedVariableError, names_used, render_template
from scupi_provision.values import UnknownValue, UnknownValueError

from .conftest import template


def refusal(value, **variables):
    with pytest.raises(InputError) as caught:
        Templar(variables).render(value)
    return caught.value.diagnostic


@pytest.mark.parametrize(
    ("yaml", "line", "column"),
    [
        ("key: x/{{ nope }}\n", 1, 11),
        ('key: "{{ nope }}"\n', 1, 10),
        ("key: '{{ ''nope'' ~ nope }}'\n", 1, 21),
        ("key: |\n  one\n  two {{ nope }}\n", 3, 10),
        ("key: >-\n\n    {{ a }}\n    {{ nope }}\n", 4, 8),
        ('key: "first\n  second {{ nope }}"\n', 2, 13),
        ('key: "é中 {{ nope }}"\n', 1, 13),
        ("key: '{{ x.nope + nope }}'\n", 1, 19),
        ("key: '{{ dict(nope=2).nope + nope }}'\n", 1, 30),
    ],
)
def test_an_undefined_name_is_found_in_the_scalar(written, yaml, line, column):
    where = refusal(written(yaml), a=1, x={"nope": 1}).where
    assert (where.line, where.column) == (line, column)


def test_an_undefined_name_comes_with_a_suggestion_and_the_line(written):
    found = refusal(written("key: '{{ git_verison }}'\n"), git_version="2.44")
    assert found.summary == 'the variable "git_verison" is not defined'
    assert found.hint == 'did you mean "git_version"?'
    assert found.excerpt == "key: '{{ git_verison }}'"


def test_an_undefined_part_says_of_what(written):
    found = refusal(written("key: 'x {{ out.stdot }}'\n"), out={"stdout": "x"})
    assert found.summary == 'no "stdot" in this value (a mapping)'
    assert found.hint == 'did you mean "stdout"?'
    assert found.where.column == 16
    with pytest.raises(UndefinedVariableError, match=r"a text"):
        Templar({"s": "x"}).render(template("{{ s.foo.bar }}"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ a", "not a valid template"),
        ("{% if a %}x", "not a valid template"),
        ("{{ a | upcase }}", 'no filter "upcase"'),
        ("{{ a is defned }}", 'no test "defned"'),
        ("{% if a %}{{ a | upcase }}{% endif %}", 'no filter "upcase"'),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ a.foo() }}", 'no "foo"'),
        ("{{ lookup('nope', 1) }}", "no lookup 'nope'"),
        ("{{ lookup('file', 'no/such') }}", "no file"),
        ("{{ a | mandatory('give a') ~ (zz | mandatory('give zz')) }}", "give zz"),
        ("{{ zz | mandatory }}", '"zz" is not defined'),
        ("{{ zz | upper }}", '"zz" is not defined'),
        ("{{ zz | bool }}", '"zz" is not defined'),
        ("{{ [zz] }}", '"zz" is not defined'),
        ("{{ {'k': [zz]} }}", '"zz" is not defined'),
        ("{{ [1, zz] | map('upper') }}", '"zz" is not defined'),
        ("{{ [[1, zz] | map('upper')] }}", '"zz" is not defined'),
        ("{{ ['s'] | groupby('k') }}", 'no "k"'),
        ("{{ 'x' | combine({}) }}", "needs mappings"),
        ("{{ 'a' | regex_search('(') }}", "not a regular expression"),
        ("{{ '{' | from_json }}", "not JSON"),
        ("{{ 'a: b: c' | from_yaml }}", "not YAML"),
        ("{{ " + "(" * 5000 + " }}", "deep"),
        ("{{ " + "[" * 300 + "]" * 300 + " }}", ""),
    ],
)
def test_failures_of_every_kind_are_input_errors_with_a_place(text, said):
    found = refusal(template(text), a="x")
    assert said in found.summary
    assert found.where is not None


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ '' | attr('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ ''['__class__'] }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ 'a' * 10**9 }}",
        "{{ [0] * 10**9 }}",
        "{{ 10 ** 9999 }}",
        "{{ range(10**9) | list }}",
        "{{ 'x'.center(10**9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}",
        "{% set n = namespace(x='x' * 1000000) %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='x' * 1000000) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{{ range(99999) | product(range(99999)) | list | length }}",
    ],
)
def test_templates_reach_no_internals_and_build_nothing_enormous(text):
    assert refusal(template(text)).where is not None


SIGNS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "a",
    "d.k",
    "l[0]",
    "zz",
    "u",
    "omit",
    "'s'",
    "1",
    "|",
    "(",
    ")",
    "[",
    "]",
    ",",
    "~",
    "*",
    "==",
    "is",
    "defined",
    "and",
    "not",
    "if",
    "else",
    "endif",
    "endfor",
]
FILTERS = [
    "default('x')",
    "map('upper')",
    "to_json",
    "from_json",
    "combine({})",
    "flatten",
    "int",
    "sort",
    "groupby('k')",
]
FRAGMENTS = st.sampled_from([*SIGNS, " ", "\n", " for i in l ", " set x = ", *(f"|{name}" for name in FILTERS)])


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(FRAGMENTS, max_size=8))
def test_whatever_the_text_nothing_but_input_errors_and_unknowns_are_raised(pieces):
    text = " ".join(pieces)
    templar = Templar({"a": 1, "d": {"k": template("{{ zz }}")}, "l": [1, "x"], "u": UnknownValue("make")})
    for attempt in (
        lambda: templar.render(template(text)),
        lambda: templar.render(template("{{" + text + "}}")),
        lambda: templar.holds(template(text)),
        lambda: names_used(template(text), expression=False),
        lambda: render_template(text, name="x.j2", variables=templar),
    ):
        with contextlib.suppress(InputError, UnknownValueError):
            attempt()


def test_a_template_that_never_ends_is_stopped(monkeypatch):
    from scupi_provision.playbook.templating import sandbox

    monkeypatch.setattr(sandbox, "MAX_SECONDS", 0.05)
    text = "{% for a in range(99999) %}{% for b in range(99) %}{% endfor %}{% endfor %}"
    assert "longer than" in refusal(template(text)).summary
