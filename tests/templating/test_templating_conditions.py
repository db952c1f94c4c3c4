"""When a condition holds, and which variables a text needs."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.templating import Templar, names_used, names_used_in_conditions
from scupi_provision.values import UnknownValue, UnknownValueError

from .conftest import template

VARIABLES = {
    "t": True,
    "f": False,
    "word": "Yes",
    "no": "no",
    "one": 1,
    "text": "x",
    "items": [1],
    "none": None,
    "u": UnknownValue("make"),
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("t", True),
        ("not t", False),
        ("{{ t }}", True),
        ("{{ not t }}", False),
        ("text == 'x'", True),
        ("items | length > 0", True),
        ("nope is defined", False),
        ("nope is defined and nope == 1", False),
        ("nope | default(false)", False),
        ("t or nope", True),
        ("'a' in text", False),
        ("u is defined", True),
        ("f and u", False),
        ("text is\n  defined", True),
        ("true", True),
        ("False", False),
    ],
)
def test_conditions_hold_or_not(condition, holds):
    assert Templar(VARIABLES).holds(template(condition)) is holds


def test_booleans_and_lists_are_conditions_too():
    templar = Templar(VARIABLES)
    assert templar.holds(True)
    assert not templar.holds([template("t"), template("f"), template("nope")])
    assert templar.holds([])


@pytest.mark.parametrize(
    ("condition", "said", "tried"),
    [
        ("text", "a text", "length > 0"),
        ("items", "a list", "length > 0"),
        ("none", "null", "is not none"),
        ("one + 1", "the number 2", "!= 0"),
        ("one", "the number 1", "| bool"),
        ("word", "the text", "| bool"),
        ("no", "the text", "| bool"),
        ("nope", '"nope" is not defined', ""),
        ("t ==", "not a valid template", ""),
        ("t t", "not a valid template", ""),
        ("{{ t }} == {{ t }}", "not a valid template", "bare expression"),
    ],
)
def test_anything_else_is_refused_with_advice(condition, said, tried):
    with pytest.raises(InputError) as caught:
        Templar(VARIABLES).holds(template(condition))
    assert said in caught.value.diagnostic.summary
    assert tried in caught.value.diagnostic.hint


@pytest.mark.parametrize("condition", ["u", "not u", "u == 1", "u.rc == 0", "t and u", "u | default(true)"])
def test_a_condition_on_the_unknown_is_unknown(condition):
    with pytest.raises(UnknownValueError):
        Templar(VARIABLES).holds(template(condition))


def used(text: str, *, expression: bool) -> list[tuple[str, bool]]:
    return [(use.name, use.guarded) for use in names_used(template(text), expression=expression)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", []),
        ("{{ a }}{{ b.c }}", [("a", False), ("b", False)]),
        ("{{ a | default(b) }}", [("a", True), ("b", False)]),
        ("{{ a.b.c | d('x') }}", [("a", True)]),
        ("{{ a is defined }}", [("a", True)]),
        ("{% if a is defined %}{{ a }}{% else %}{{ a }}{% endif %}", [("a", True), ("a", True), ("a", False)]),
        ("{% if a is not defined %}{{ a }}{% else %}{{ a }}{% endif %}", [("a", True), ("a", False), ("a", True)]),
        ("{% if a is undefined %}x{% elif a %}{{ a }}{% endif %}", [("a", True), ("a", True), ("a", True)]),
        ("{{ a if a is defined else b }}", [("a", True), ("a", True), ("b", False)]),
        ("{{ (a is defined) | ternary(a, 1) }}", [("a", True), ("a", True)]),
        ("{{ [a, b] | select('defined') | list }}", [("a", True), ("b", True)]),
        ("{% for i in l if i %}{{ i }}{{ loop.index }}{% endfor %}{{ i }}", [("l", False), ("i", False)]),
        ("{% set x = a %}{{ x }}", [("a", False)]),
        ("{% macro m(p) %}{{ p }}{{ z }}{% endmacro %}{{ m(1) }}", [("z", False)]),
        ("{{ lookup('env', 'HOME') }}{{ omit }}{{ range(3) }}", []),
        ("{{ dict(name=name) }}{{ 'name' }}", [("name", False)]),
        ("{{ x | combine({'y': y}) }}", [("x", False), ("y", False)]),
    ],
)
def test_the_names_that_a_template_needs(text, names):
    assert used(text, expression=False) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a == 1", [("a", False)]),
        ("a is defined and a.b == c", [("a", True), ("a", True), ("c", False)]),
        ("a is not defined or a", [("a", True), ("a", True)]),
        ("not (a is undefined) and a", [("a", True), ("a", True)]),
        ("a is defined or a", [("a", True), ("a", False)]),
        ("{{ a }}", [("a", False)]),
    ],
)
def test_the_names_that_a_condition_needs(text, names):
    assert used(text, expression=True) == names


def test_conditions_guard_those_after_them():
    uses = names_used_in_conditions([template("a is defined"), template("a == b")])
    assert [(use.name, use.guarded) for use in uses] == [("a", True), ("a", True), ("b", False)]


def test_names_have_the_place_where_they_stand(written):
    text = written("key: |\n  {{ a }} {{ b }}\n  {{ a.b }} {{ b }}\n")
    places = [(use.name, use.position.line, use.position.column) for use in names_used(text, expression=False)]
    assert places == [("a", 2, 6), ("b", 2, 14), ("a", 3, 6), ("b", 3, 16)]
