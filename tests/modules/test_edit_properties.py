"""lineinfile and blockinfile on arbitrary files: twice is once, and no line of the user is lost."""

from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.host.memory_planning import apply_on
from scupi_provision.modules.registry import MODULES

FILE = f"{HOME}/f"
BEGIN, END = b"# BEGIN m", b"# END m"
lines = st.sampled_from([b"", b"a", b"b", b"x=1", b"x=2", b"\xff\xfe", b"  a ", BEGIN, END])
plain_lines = lines.filter(lambda line: line not in {BEGIN, END})
words = st.sampled_from(["a", "b", "x=3", "new", "é"])
places = st.sampled_from(
    [{}, {"insertbefore": "BOF"}, {"insertafter": "EOF"}, {"insertafter": "^a"}, {"insertbefore": "^x"}]
)


def contents(of):
    def join(items, end, ended):
        return end.join(items) + (end if ended and items else b"")

    return st.builds(join, st.lists(of), st.sampled_from([b"\n", b"\r\n"]), st.booleans())


def edit(module, args, content):
    """The file after one and after two runs."""
    memory = MemoryHost()
    memory.put(FILE, content)
    parsed = MODULES[module].args.model_validate({"path": FILE, **args})
    found = []
    for _ in range(2):
        _, performed = apply_on(memory, lambda host: MODULES[module].plan(parsed, host))
        assert performed.outcome == "done"
        found.append(memory.nodes[FILE].content)
    return found


def texts(content):
    return [line.rstrip(b"\r") for line in content.split(b"\n") if line.rstrip(b"\r")]


def is_within(few, many):
    rest = iter(many)
    return all(item in rest for item in few)


@given(contents(lines), words, places, st.booleans())
def test_a_line_is_added_and_nothing_lost(content, line, place, first):
    once, twice = edit("lineinfile", {"line": line, "firstmatch": first, **place}, content)
    assert once == twice
    assert line.encode() in texts(once)
    assert is_within(texts(content), texts(once))
    assert len(texts(once)) <= len(texts(content)) + 1


@given(contents(lines), places)
def test_a_replaced_line_is_the_only_one_that_goes(content, place):
    once, twice = edit("lineinfile", {"regexp": "^x=", "line": "x=3", **place}, content)
    assert once == twice
    kept = [line for line in texts(content) if not line.startswith(b"x=")]
    assert [line for line in texts(once) if not line.startswith(b"x=")] == kept
    had = sum(line.startswith(b"x=") for line in texts(content))
    assert sum(line.startswith(b"x=") for line in texts(once)) == max(had, 1)


@given(contents(lines), st.sampled_from(["a", "b", "gone"]))
def test_only_the_named_line_is_removed(content, line):
    once, twice = edit("lineinfile", {"line": line, "state": "absent"}, content)
    assert once == twice
    assert texts(once) == [text for text in texts(content) if text != line.encode()]


@given(contents(lines), st.lists(words, min_size=1, max_size=3), places)
def test_a_block_is_kept_and_nothing_lost(content, block, place):
    """Also where markers of the file have lost their partners; only what is between a whole pair is ours."""
    once, twice = edit("blockinfile", {"marker": "# {mark} m", "block": "\n".join(block), **place}, content)
    assert once == twice
    ours = [BEGIN, *(line.encode() for line in block), END]
    assert any(texts(once)[at : at + len(ours)] == ours for at in range(len(texts(once))))
    if BEGIN not in texts(content):
        assert is_within(texts(content), texts(once))


@given(contents(plain_lines), st.lists(words, min_size=1, max_size=3), places)
def test_taking_a_block_out_again_leaves_the_file(content, block, place):
    """Byte for byte, but for the end that a last line without one was given."""
    with_block, _ = edit("blockinfile", {"marker": "# {mark} m", "block": "\n".join(block), **place}, content)
    without, _ = edit("blockinfile", {"marker": "# {mark} m", "state": "absent"}, with_block)
    assert without in {content, content + b"\n", content + b"\r\n"}
