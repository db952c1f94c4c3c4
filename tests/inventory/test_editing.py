"""An entry goes into the inventory or out of it, and every other byte stays where it was."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from scupi_provision.errors import InputError
from scupi_provision.inventory.editing import NewEntry, with_accounts, with_key, without_account
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.spelling import spelled

HOSTS = "all:\n  hosts:\n    admin1: {ansible_host: 127.0.0.1}\n"
VALUES = ["k  # why", '"k"', "'k'  ", f"|\n{' ' * 12}k\n{' ' * 12}# k", f">-\n{' ' * 12}k"]
ENTRY = NewEntry("0123", "~/.ssh/scupi_0123", "张三", ("cs", "no"))

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
paths = st.one_of(st.just("~/.ssh/id"), st.just("C:\\Users\\me\\id_rsa"), texts)
entries = st.builds(
    NewEntry,
    id=names,
    key=paths,
    name=st.one_of(st.just(""), texts),
    groups=st.lists(names, max_size=3, unique=True).map(tuple),
    own_key=st.booleans(),
)


@st.composite
def inventories(draw):
    """Inventories as people write them: comments, blank lines, any indentation, any line ends."""
    comment = st.sampled_from(["", "", "\n", "# a - comment: here\n", "\n# one\n   # - id: two\n\n"])
    dash = draw(st.integers(0, 4))
    offset = draw(st.integers(2, 4))
    lines = [draw(comment)]
    for number in range(draw(st.integers(0, 4))):
        head = " " * dash + "-".ljust(offset)
        value = draw(st.sampled_from(VALUES))
        lines += [f"{head}id: known{number}\n", draw(comment), f"{' ' * (dash + offset)}key: {value}\n", draw(comment)]
    known = "".join(lines)
    has_entries = "id: known" in known
    written = f"accounts:{draw(st.sampled_from(['', '  # who', '']))}\n{known}"
    if not has_entries:
        written = draw(st.sampled_from([written, "", "accounts: []\n", "accounts: [{id: known0, key: k}] # c\n"]))
    text = draw(st.sampled_from([HOSTS + written, written + HOSTS, draw(comment) + written + HOSTS + "# end\n"]))
    if not text.endswith("# k\n"):  # a line break at the end of a block of text is a part of that text
        text = draw(st.sampled_from([text, text.removesuffix("\n")]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def _accounts(text, version):
    if version == "1.1":
        return yaml.safe_load(text).get("accounts") or []
    return YAML(typ="safe", pure=True).load(text).get("accounts") or []


@given(inventories(), st.lists(entries, min_size=1, max_size=3, unique_by=lambda entry: entry.id))
def test_everything_but_the_new_lines_stays_byte_for_byte(text, new):
    edited = with_accounts(text, tuple(new))
    position = next((i for i, (a, b) in enumerate(zip(text, edited, strict=False)) if a != b), len(text))
    behind = len(text) - position
    assert edited[:position] == text[:position]
    assert behind == 0 or edited.endswith(text[position:])
    assert ("\r\n" in edited) == ("\r\n" in text)
    assert edited.count("\n") == edited.count("\r\n") or "\r\n" not in text
    assert edited.endswith("\n") == text.endswith("\n")


@given(inventories(), entries)
def test_what_was_added_is_taken_out_again(text, entry):
    """Where there was a list before; a heading that was made stays."""
    edited = with_accounts(text, (entry,))
    restored = without_account(edited, entry.id)
    if _accounts(text, "1.2") or "accounts: []" in text:
        assert restored == text
    else:
        assert _accounts(restored, "1.2") == []
        assert without_account(with_accounts(restored, (entry,)), entry.id) == restored


@given(inventories(), entries)
def test_every_reader_reads_the_same(text, entry):
    """YAML 1.1 as Ansible has it, YAML 1.2, and ours."""
    edited = with_accounts(text, (entry,))
    for version in ("1.1", "1.2"):
        last = _accounts(edited, version)[-1]
        assert (str(last["id"]), str(last["key"]), str(last.get("name", ""))) == (entry.id, entry.key, entry.name)
        assert [str(group) for group in last.get("groups", [])] == list(entry.groups)
        assert last.get("access", {}).get("own_key", False) is entry.own_key


@given(st.one_of(names, texts, st.from_regex(r"[0-9][0-9_:.eExX+-]{0,8}", fullmatch=True)))
def test_a_spelled_text_is_that_text_in_both_versions_of_yaml(text):
    for loaded in (yaml.safe_load(f"- {spelled(text)}\n"), YAML(typ="safe", pure=True).load(f"- {spelled(text)}\n")):
        assert str(loaded[0]) == text


@pytest.mark.parametrize(
    "identifier", ["0123456", "1_000", "12:30:00", "0x1F", "0o17", "1e5", "3.10", "no", "null", "007"]
)
def test_ids_that_yaml_would_change_are_quoted(identifier, tmp_path):
    path = tmp_path / "inventory.yaml"
    if ":" not in identifier:
        path.write_text(with_accounts(HOSTS, (NewEntry(identifier, "~/.ssh/k"),)), encoding="utf-8")
        assert [account.id for account in load_inventory(path).accounts] == [identifier]
    assert spelled(identifier) == f'"{identifier}"'


def test_a_section_is_made_behind_everything_else():
    assert with_accounts("# top\n" + HOSTS + "# end\n", (ENTRY,)) == (
        "# top\n"
        + HOSTS
        + "# end\n\naccounts:\n"
        + '  - id: "0123"\n    key: ~/.ssh/scupi_0123\n    name: 张三\n    groups: [cs, "no"]\n'
    )


def test_new_lines_look_like_their_neighbours():
    text = "accounts:\n-   id: 1\n    key: k   # mine\n\n# of the hosts\nall: {}\n"
    assert with_accounts(text, (NewEntry("2", "k"),)) == text.replace("mine\n", "mine\n-   id: 2\n    key: k\n")


@pytest.mark.parametrize(
    "text",
    ["{all: {}}\n", '{"all": {}, "accounts": [{"id": "1", "key": "k"}]}', "{}", "", "# nothing\n", "all: {}\n...\n"],
)
def test_unusual_inventories_are_edited_too(text):
    assert [str(one["id"]) for one in _accounts(with_accounts(text, (ENTRY,)), "1.1")][-1] == "0123"


UNEDITABLE = ["accounts: {a: 1}\n", "all: &a [x]\naccounts: *a\n", "- a\n", "all:\n\t- x\n"]
END_IN_A_BLOCK = "accounts:\n- id: 1\n  key: |\n    k"


@pytest.mark.parametrize("text", [*UNEDITABLE, END_IN_A_BLOCK])
def test_what_cannot_be_edited_is_refused(text):
    with pytest.raises(InputError):
        with_accounts(text, (ENTRY,))


def test_an_entry_with_an_anchor_that_others_use_stays():
    text = "accounts:\n  - &first {id: 1, key: k}\n  - *first\n"
    with pytest.raises(InputError, match="cannot be taken out"):
        without_account(text, "1")


def test_removing_keeps_the_comments_around():
    text = "accounts:\n  # one\n  - id: 1\n    key: k\n  # two\n  - id: 2\n    key: k # b\n  # three\n"
    text += "  - id: 3\n    key: k"
    assert without_account(text, "2") == text.replace("  - id: 2\n    key: k # b\n", "")
    assert without_account(text, "3") == text.replace("\n  - id: 3\n    key: k", "")
    with pytest.raises(InputError, match="no entry for 4"):
        without_account(text, "4")


@given(inventories(), entries, texts)
def test_switching_a_key_changes_nothing_else(text, entry, key):
    edited = with_accounts(text, (entry,))
    switched = with_key(edited, entry.id, key)
    assert str(_accounts(switched, "1.2")[-1]["key"]) == key
    assert with_key(switched, entry.id, entry.key) == edited


def test_a_comment_behind_a_key_stays():
    text = "accounts:\n  - id: 1\n    key: ~/a # from the portal\n    name: A\n"
    assert with_key(text, "1", "~/b") == text.replace("~/a", "~/b")
