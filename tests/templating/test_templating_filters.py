"""Filters, tests and lookups do what Ansible documents."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.templating import Templar, render_template

from .conftest import template

VARIABLES = {
    "users": [{"name": "a", "keys": [1, 2], "on": True}, {"name": "b", "keys": [3], "on": False}],
    "text": "one two",
    "ok": {"failed": False, "changed": True, "skipped": False},
}


def render(text: str, **variables):
    return Templar({**VARIABLES, **variables}).render(template("{{ " + text + " }}"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nope | default('x')", "x"),
        ("nope.a.b | default('x')", "x"),
        ("'' | default('x')", ""),
        ("'' | default('x', true)", "x"),
        ("'' | d('x', boolean=true)", "x"),
        ("['yes', 'no', 1, 'off', true] | map('bool') | list", [True, False, True, False, True]),
        ("['7', 'x', 3.9] | map('int') | list", [7, 0, 3]),
        ("'x' | int(5)", 5),
        ("'1f' | int(base=16)", 31),
        ("'2.5' | float", 2.5),
        ("true | ternary('a', 'b')", "a"),
        ("none | ternary('a', 'b', 'c')", "c"),
        ("[1, 2] | length", 2),
        ("[1, 2] | count", 2),
        ("users | map(attribute='name') | join('-')", "a-b"),
        ("users | selectattr('on') | map(attribute='name') | list", ["a"]),
        ("users | rejectattr('on') | map(attribute='name') | list", ["b"]),
        ("users | selectattr('name', 'equalto', 'b') | list | length", 1),
        ("['ab', 'cd'] | select('match', 'a') | list", ["ab"]),
        ("['ab', 'cd'] | reject('search', 'd$') | list", ["ab"]),
        ("['ab'] | map('regex_replace', '^a(.)', 'x\\1') | list", ["xb"]),
        ("[2, 1] | sort", [1, 2]),
        ("[1, 2, 1] | unique", [1, 2]),
        ("['A', 'a'] | unique(case_sensitive=false)", ["A"]),
        ("[1, 2] | union([2, 3])", [1, 2, 3]),
        ("[1, 2] | intersect([2, 3])", [2]),
        ("[1, 2] | difference([2, 3])", [1]),
        ("[1, 2] | symmetric_difference([2, 3])", [1, 3]),
        ("[1, [2, [3, none]]] | flatten", [1, 2, 3]),
        ("[1, [2, [3]]] | flatten(levels=1)", [1, 2, [3]]),
        ("{'a': {'b': 1}} | combine({'a': {'c': 2}})", {"a": {"c": 2}}),
        ("{'a': {'b': 1}} | combine({'a': {'c': 2}}, recursive=true)", {"a": {"b": 1, "c": 2}}),
        ("{'a': [1]} | combine({'a': [2]}, list_merge='append')", {"a": [1, 2]}),
        ("{'a': [1]} | combine({'a': [2]}, list_merge='prepend')", {"a": [2, 1]}),
        ("{'a': [1]} | combine({'a': [2]}, list_merge='keep')", {"a": [1]}),
        ("{'a': [1, 2]} | combine({'a': [2]}, list_merge='append_rp')", {"a": [1, 2]}),
        ("[{'a': 1}, {'b': 2}] | combine", {"a": 1, "b": 2}),
        ("{'a': 1} | dict2items", [{"key": "a", "value": 1}]),
        ("{'a': 1} | dict2items(key_name='k', value_name='v')", [{"k": "a", "v": 1}]),
        ("[{'key': 'a', 'value': 1}] | items2dict", {"a": 1}),
        ("'foobar' | regex_replace('o+', '0')", "f0bar"),
        ("'foobar' | regex_replace('(?P<x>o+)', '<\\g<x>>')", "f<oo>bar"),
        ("'FOO' | regex_replace('o', '', ignorecase=true)", "F"),
        ("'foo=42' | regex_search('[0-9]+')", "42"),
        ("'foo=42' | regex_search('(\\w+)=(\\d+)', '\\2', '\\1')", ["42", "foo"]),
        ("'foo' | regex_search('x')", None),
        ("'a1b2' | regex_findall('[0-9]')", ["1", "2"]),
        ("'a.b' | regex_escape", "a\\.b"),
        ("'/a/b.txt' | basename", "b.txt"),
        ("'/a/b.txt' | dirname", "/a"),
        ("'/a/b.tar.gz' | splitext", ["/a/b.tar", ".gz"]),
        ("['/a', 'b', 'c'] | path_join", "/a/b/c"),
        ('"it\'s" | quote', "'it'\"'\"'s'"),
        ("{'b': 1, 'a': [true]} | to_json", '{"b": 1, "a": [true]}'),
        ("{'b': 1, 'a': 2} | to_nice_json", '{\n    "a": 2,\n    "b": 1\n}'),
        ("{'b': [1, 2]} | to_nice_yaml", "b:\n- 1\n- 2\n"),
        ("{'b': 1} | to_yaml", "{b: 1}\n"),
        ("'{\"a\": [1]}' | from_json", {"a": [1]}),
        ("'a: [1, x]' | from_yaml", {"a": [1, "x"]}),
        ("'é' | b64encode", "w6k="),
        ("'w6k=' | b64decode", "é"),
        ("'x' | hash('sha256')", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ("'x' | sha1", "11f6ad8ec52a2984abaafd7c3b516503785c2072"),
        ("'x' | checksum", "11f6ad8ec52a2984abaafd7c3b516503785c2072"),
        ("'x' | md5", "9dd4e461268c8034f5c8564e155c67a6"),
        ("'a,b' | split(',')", ["a", "b"]),
        ("'a b' | split", ["a", "b"]),
        ("['hi', 'you'] | join('\n') | comment", "#\n# hi\n# you\n#"),
        ("'hi' | comment('c')", "//\n// hi\n//"),
        ("'hi' | comment('cblock')", "/*\n *\n * hi\n *\n */"),
        ("' x ' | trim", "x"),
        ("5 | type_debug", "int"),
        ("'1.10' is version('1.9', '>')", True),
        ("'1.0' is version('1.0.1', 'lt')", True),
        ("'1.10' | version('1.9', '>=')", True),
        ("[1, 2] | zip(['a', 'b'])", [[1, "a"], [2, "b"]]),
        ("users | subelements('keys') | map(attribute=1)", [1, 2, 3]),
        ("[1, 2] | product(['a'])", [[1, "a"], [2, "a"]]),
        ("['a'] | map('extract', {'a': 1})", [1]),
        ("text is match('one')", True),
        ("text is match('two')", False),
        ("text is search('two')", True),
        ("text is regex('^o')", True),
        ("'no' is truthy(convert_bool=true)", False),
        ("0 is falsy", True),
        ("ok is changed", True),
        ("ok is failed", False),
        ("ok is succeeded and ok is success", True),
        ("ok is skipped", False),
        ("[1] is subset([1, 2])", True),
        ("[1, 2] is superset([1])", True),
        ("[1, 2] is contains(1)", True),
        ("1 in [1]", True),
        ("'/' is directory and '/' is exists and '/' is not file", True),
        ("vars_of | default('none')", "none"),
    ],
)
def test_filters_and_tests(text, value):
    assert render(text) == value


def test_numbers_keep_their_value_in_json_and_their_digits_in_text():
    from scupi_provision.values import SourceFloat, SourceInt

    numbers = {"mode": SourceInt(0o644, "0644"), "python": SourceFloat(3.1, "3.10")}
    assert render("n | to_json", n=numbers) == '{"mode": 420, "python": 3.1}'
    assert render("n | to_nice_yaml", n=numbers) == "mode: 420\npython: 3.1\n"
    assert render("n.python ~ ''", n=numbers) == "3.10"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "files" / "key.pub").write_text("ssh {{ x }}\n\n")
    (tmp_path / "files" / "b.txt").write_text("b")
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "templates" / "t.j2").write_text("x={{ x }}{% include 'part.j2' %}\n")
    (tmp_path / "templates" / "part.j2").write_text("[{{ x }}]\n")
    (tmp_path / "templates" / "broken.j2").write_text("fine\n{{ nope }}\n")
    (tmp_path / "templates" / "macros.j2").write_text("{% macro m(p) %}<{{ p }}>{% endmacro %}\n")
    (tmp_path / "templates" / "base.j2").write_text("a {% block b %}{{ x }}{% endblock %} c\n")
    return tmp_path


def test_lookups_find_files_variables_and_the_environment(folder, monkeypatch):
    monkeypatch.setenv("PROVISION_TEST", "here")
    templar = Templar({"x": "{{ 7*7 }}", "name": "x", "y": template("{{ x }}!")}, search_paths=(folder,))

    def found(text: str):
        return templar.render(template("{{ " + text + " }}"))

    assert found("lookup('env', 'PROVISION_TEST')") == "here"
    assert found("lookup('env', 'PROVISION_NONE', default='d')") == "d"
    assert found("lookup('file', 'key.pub')") == "ssh {{ x }}", "a file's text is data"
    assert found("lookup('ansible.builtin.file', 'a.txt')") == "a"
    assert found("lookup('file', 'a.txt', 'b.txt')") == "a,b"
    assert found("query('file', 'a.txt')") == ["a"]
    assert found("lookup('template', 't.j2')") == "x={{ 7*7 }}[{{ 7*7 }}]\n"
    assert found("lookup('vars', name)") == "{{ 7*7 }}"
    assert found("lookup('vars', 'y')") == "{{ 7*7 }}!"
    assert found("lookup('vars', 'zz', default=1)") == 1
    assert found("lookup('first_found', ['no.txt', 'b.txt'])") == str(folder / "files" / "b.txt")
    assert found("q('first_found', files=['no.txt'], skip=true)") == []
    assert found("q('fileglob', '*.txt')") == [str(folder / "files" / "b.txt")]
    assert found("lookup('file', 'none', errors='ignore')") is None
    assert found("q('sequence', 'start=1 end=5 stride=2 format=n%02d')") == ["n01", "n03", "n05"]
    assert found("q('dict', {'a': 1})") == [{"key": "a", "value": 1}]
    assert found("q('nested', [1, 2], ['a'])") == [[1, "a"], [2, "a"]]
    assert found("q('together', [1, 2], ['a', 'b'])") == [[1, "a"], [2, "b"]]


def test_template_files_follow_ansible(folder):
    def made(text: str, **variables) -> str:
        paths = (folder / "templates",)
        return render_template(text, name="templates/x.j2", variables={"x": 1, **variables}, search_paths=paths)

    assert made("{% if x %}\na\n{% endif %}\nb\n") == "a\nb\n"
    assert made("a\n\n\n") == "a\n\n\n"
    assert made("a") == "a"
    assert made("#jinja2: lstrip_blocks: True, trim_blocks: False\n  {% if x %}\na{% endif %}\n") == "\na\n"
    assert made("#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ x ]]{{ x }}") == "1{{ x }}"
    assert made("{% for i in [1, 2] %}{% include 'part.j2' %}{% endfor %}", later=template("{{ nope }}")) == "[1][1]"
    assert made("{% import 'macros.j2' as m %}{{ m.m(x) }}") == "<1>"
    assert made("{% from 'macros.j2' import m with context %}{{ m(x) }}") == "<1>"
    assert made("{% extends 'base.j2' %}{% block b %}[{{ super() }}]{% endblock %}") == "a [1] c"
    assert made("# {{ ansible_managed }}") == "# Ansible managed"
    assert made("{{ none }}{{ y }}|{{ [x] }}", y=template("{{ x }}"), none=None) == "1|[1]"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("one\ntwo {{ nope }}\n", "x.j2:2:8"),
        ("one\n{% if %}\n", "x.j2:2:7"),
        ("#jinja2: trim_blocks: False\n\n{{ nope }}", "x.j2:3:4"),
        ("{% include 'broken.j2' %}", "broken.j2:2:4"),
        ("{% include 'none.j2' %}", "x.j2:1:1"),
        ("{% for i in [0] %}\n{{ 1 / i }}\n{% endfor %}", "x.j2:2:1"),
        ("#jinja2: trim_block: False\n", "x.j2:1:10"),
        ("a {{ x | upcase }}", "x.j2:1:10"),
    ],
)
def test_errors_in_template_files_have_their_line(folder, text, place):
    with pytest.raises(InputError) as caught:
        render_template(text, name="x.j2", variables={"x": 1}, search_paths=(folder / "templates",))
    assert str(caught.value.diagnostic.where).endswith(place)
    assert caught.value.diagnostic.excerpt
