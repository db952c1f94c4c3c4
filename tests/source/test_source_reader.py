"""YAML becomes nodes that know their place, or an error that does."""

import contextlib
import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.source import MappingNode, NullNode, SequenceNode, read_document, read_text
from scupi_provision.values import SourceText, TemplateText

PLAYBOOK = """\
# a site
- name: Set up
  hosts: "all"
  vars: {id: 0123456, python: 3.10, empty: }
  tasks:
    - copy:
        src: a   # comment
        content: |
          first {{ x }}
          second
      when: x == 'é'
      tags: [one, 'two', "thr\\u00e9e", null]
    - debug: {msg: 'x
        y'}
"""


def problems(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(InputError) as caught:
        read_text(text, "site.yml")
    return caught.value.diagnostics


def problem(text: str) -> Diagnostic:
    (only,) = problems(text)
    return only


def test_scalars_keep_text_place_and_style():
    node = read_text("id: 0123456\npython: '3.10'\n", "site.yml")
    assert isinstance(node, MappingNode)
    number, quoted = node.get("id"), node.get("python")
    assert (number, number.plain, number.position) == ("0123456", True, Position("site.yml", 1, 5))
    assert (quoted, quoted.plain, quoted.position) == ("3.10", False, Position("site.yml", 2, 9))
    assert isinstance(number, TemplateText)
    assert not isinstance(node.items[0][0], TemplateText), "keys are never templates"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~", "null", "\ufeff"])
def test_nothing_is_a_null_node(text):
    assert isinstance(read_text(text, "x"), NullNode)


def test_columns_count_characters_and_lines_count_as_editors_do():
    """Wide characters count once, and U+2028 is not a line break, whatever YAML thinks."""
    node = read_text("é: '\u2028中'\r\nkey: value\r\n", "x")
    assert node.get("key").position == Position("x", 2, 6)
    node = read_text("{é中: b}", "x")
    assert node.get("é中").position.column == 6


def test_a_byte_order_mark_and_crlf_are_accepted(tmp_path):
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    node = read_document(path)
    assert [key for key, _ in node.items] == ["a", "b"]
    assert node.items[0][0].position == Position(str(path), 1, 1)


def test_unsafe_text_is_no_template():
    node = read_text("a: !unsafe '{{ x }}'\nb: !!str 5\nc: !!int '5'", "x")
    assert type(node.get("a")) is SourceText
    assert node.get("b").plain is False
    assert node.get("c").plain is True


def test_aliases_repeat_their_anchor():
    node = read_text("a: &x [1, 2]\nb: *x\nc: &y k\n*y : v\n", "x")
    assert node.get("b") is node.get("a")
    assert node.get("k") == "v"


def test_duplicate_keys_are_all_reported_with_both_places():
    first, second = problems("a: 1\nb: 2\na: 3\n'b': 4\n")
    assert first.where == Position("site.yml", 3, 1)
    assert "site.yml:1:1" in first.detail
    assert first.excerpt == "a: 3"
    assert second.where == Position("site.yml", 4, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "said", "tried"),
    [
        ("a: 1\nb: {{ foo }}\n", 2, 4, "template must stand in quotes", "quote"),
        ("b: {{ foo }}/bin\n", 1, 4, "template must stand in quotes", "quote"),
        ("- {{ foo }}\n", 1, 3, "template must stand in quotes", "quote"),
        ("x: {% if a %}\n", 1, 5, "template must stand in quotes", "quote"),
        ("msg: foo: bar\n", 1, 9, '":"', 'msg: "foo: bar"'),
        ("a:\n\tb: 1\n", 2, 1, "tab", "spaces"),
        ("a:\n  \tb: 1\n", 2, 3, "tab", "spaces"),
        ("a: @x\n", 1, 4, "cannot begin", "quote"),
        ("a: 'open\nb: 1\n", 1, 4, "never closed", "closing quote"),
        ('a: "C:\\path"\n', 1, 7, "no such escape", "single quotes"),
        ("a: [1, 2\nb: 3\n", 1, 4, "never closed", "]"),
        ("a: 1\n b: 2\n", 2, 3, '":"', "align"),
        ("- a\nb: 1\n", 2, 1, "not part of the list", "- "),
        ("a: *nope\n", 1, 4, "no anchor", "quote"),
        ("a: &x [*x]\n", 1, 8, "inside what it repeats", ""),
        ("a: 1\n---\nb: 2\n", 2, 1, "more than one document", "---"),
        ("? [a]\n: b\n", 1, 3, "key must be a text", ""),
        ("? {a: 1}\n: b\n", 1, 3, "key must be a text", ""),
        ("? \n: b\n", 1, 2, "empty key", ""),
        ("<<: {a: 1}\n", 1, 1, "merge keys", "write the keys out"),
        ("a: !foo x\n", 1, 4, "unknown tag !foo", "quote"),
        ("a: !vault |\n  x\n", 1, 4, "damaged vault: it does not begin with $ANSIBLE_VAULT", "take it from"),
        ("a: !!python/object:os.system {}\n", 1, 4, "no Python objects", ""),
        ("a: !!binary aGk=\n", 1, 4, "unknown tag !!binary", ""),
        ("a: !unsafe [x]\n", 1, 4, "!unsafe is for one text", ""),
        ("a: ok\nb: a\x1bc\n", 2, 5, "U+001B", "escape"),
        ("a: \ud800\n", 1, 4, "U+D800", ""),
        ("%YAML 3.0\n---\na: 1\n", 1, 1, "YAML version", ""),
        ("[" * 60, 1, 51, "nested deeper than 50", ""),
    ],
)
def test_refusals_name_the_place_and_what_to_try(text, line, column, said, tried):
    found = problems(text)[0]
    assert said in found.summary
    assert tried in found.hint
    assert (found.where.line, found.where.column) == (line, column)
    assert found.excerpt or not text.splitlines()[line - 1].strip()


def test_several_problems_are_reported_together():
    summaries = [found.summary for found in problems("a: 1\na: 2\nb: {{ x }}\nc: !foo 1\n<<: {}\nd: [\n")]
    assert len(summaries) == 5


def test_an_alias_bomb_is_refused_at_once():
    """306 bytes that stand for 387 million values."""
    names = "abcdefghi"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in itertools.pairwise(names)
    )
    began = time.perf_counter()
    assert "aliases repeat" in problem(bomb).summary
    assert time.perf_counter() - began < 0.05


def test_aliases_cannot_nest_deeper_than_text():
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 60))
    assert "nested deeper" in problem(text).summary


@pytest.mark.parametrize("unit", ["[", "{", "- ", "a: ", "? ", "&a ", "'", "[{", "!", "*", "|", "\\", "%", "#"])
def test_a_megabyte_of_one_thing_neither_hangs_nor_overflows(unit):
    began = time.perf_counter()
    with contextlib.suppress(InputError):
        read_text(unit * (900_000 // len(unit)), "x")
    assert time.perf_counter() - began < 3


def test_files_that_cannot_be_read_are_explained(tmp_path):
    def said(path: Path) -> str:
        with pytest.raises(InputError) as caught:
            read_document(path)
        return str(caught.value)

    (tmp_path / "utf16.yml").write_bytes("a: 1".encode("utf-16"))
    (tmp_path / "latin.yml").write_bytes(b"a: 1\nname: \xe9t\xe9\n")
    (tmp_path / "large.yml").write_bytes(b"a" * 1_000_001)
    assert "there is no file" in said(tmp_path / "none.yml")
    assert "is a directory" in said(tmp_path)
    assert "UTF-16" in said(tmp_path / "utf16.yml")
    assert f"{tmp_path / 'latin.yml'}:2:7: not UTF-8: byte 0xe9" in said(tmp_path / "latin.yml")
    assert "larger than 1,000,000 bytes" in said(tmp_path / "large.yml")
    assert "not a file name" in said(tmp_path / "a\0b")


def test_the_slow_parser_says_the_same_places(monkeypatch):
    """Without libyaml, PyYAML's own parser is used; places must not depend on it."""
    import yaml
    from scupi_provision.source import reader

    text = "é: [1, '中', {a: b}]\nc:\n  - d\n  - |\n    e\n"
    fast = read_text(text, "x")
    monkeypatch.setattr(reader, "_loader", lambda: yaml.SafeLoader)
    assert read_text(text, "x") == fast
    assert places(read_text(text, "x")) == places(fast)
    assert problem("a: 1\nb: c: d\n").where.line == 2


def places(node) -> list[Position]:
    if isinstance(node, MappingNode):
        return [node.position, *(place for key, value in node.items for place in [key.position, *places(value)])]
    if isinstance(node, SequenceNode):
        return [node.position, *(place for item in node.items for place in places(item))]
    return [node.position]


FRAGMENTS = st.sampled_from(
    [
        *[
            "\t",
            "\n",
            "\r",
            " ",
            ":",
            "- ",
            "{{",
            "}}",
            "{%",
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "&a",
            "*a",
            "!x ",
            "!!str ",
            "|",
            ">",
            "#",
        ],
        *[
            "<<: ",
            "? ",
            "---\n",
            "...\n",
            "%",
            "@",
            "\x00",
            "\ufeff",
            "é",
            "\u2028",
            "\U0001f600",
            "\ud800",
            "\x85",
            "0123",
            "~",
            "\\",
        ],
    ]
)


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, len(PLAYBOOK)), st.integers(0, 6), FRAGMENTS), max_size=6))
def test_a_mutated_document_gives_nodes_or_an_error_with_a_place_inside_it(edits):
    text = PLAYBOOK
    for at, dropped, put in edits:
        text = text[:at] + put + text[at + dropped :]
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        found = places(read_text(text, "x"))
    except InputError as error:
        found = [diagnostic.where for diagnostic in error.diagnostics]
    for place in found:
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_in_a_file_raise_nothing_but_input_errors(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "arbitrary.yml"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        read_document(path)
