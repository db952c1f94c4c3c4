"""Start-up files as texts: which a shell reads, and taking lines out of use without touching the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.access import shell_files

MARK = "# provision rescue 2026-01-31: "
TEXTS = st.lists(st.sampled_from([b"a\n", b"\n", b"b\r\n", b"\xff\xfe\n", b"# c\n", b" d \\\n", b"e"])).map(b"".join)


@given(TEXTS, st.integers(1, 8), st.integers(0, 4))
def test_lines_that_are_taken_out_can_be_put_back_and_no_other_byte_changes(content, first, more):
    out = shell_files.commented_out(content, first, first + more, MARK)
    before, after = shell_files.lines_of(content), shell_files.lines_of(out)
    assert len(before) == len(after)
    for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
        assert new == (MARK.encode() + old if first <= number <= first + more else old)


@given(TEXTS)
def test_lines_put_together_are_the_content(content):
    assert b"".join(shell_files.lines_of(content)) == content


@pytest.mark.parametrize(
    ("shell", "present", "read"),
    [
        ("/bin/bash", [".bashrc", ".bash_profile", ".profile"], [".bashrc", ".bash_profile", ".bashrc"]),
        ("/bin/bash", [".profile", ".zshrc"], [".profile"]),
        ("/usr/bin/rbash", [".bashrc"], [".bashrc", ".bashrc"]),
        ("/usr/bin/zsh", [".zshenv", ".bashrc", ".zshrc"], [".zshenv", ".zshrc"]),
        ("/bin/tcsh", [".cshrc", ".tcshrc"], [".tcshrc"]),
        ("/bin/csh", [".cshrc", ".tcshrc"], [".cshrc"]),
        ("/bin/dash", [".bashrc", ".profile", ".ssh/rc"], [".ssh/rc", ".profile"]),
    ],
)
def test_a_shell_reads_its_own_files_and_of_some_only_the_first(shell, present, read):
    assert [file.name for file in shell_files.start_files(shell, present)] == read


@pytest.mark.parametrize(
    "statement",
    [". ~/.aliases", "source $HOME/.aliases", '. "${HOME}/.aliases"', "[ -f x ] && . ~/.aliases",
     "if a; then . ~/.aliases\nfi", "  source '/home/me/.aliases' # mine"],
)  # fmt: skip
def test_the_file_that_a_statement_sources_is_seen(statement):
    assert shell_files.sourced_file(statement.encode(), "/home/me") == "/home/me/.aliases"


@pytest.mark.parametrize("statement", [". /etc/bashrc", ". $FILE", "echo . ~/.aliases", "source ~/$NAME", "./script"])
def test_no_file_is_guessed(statement):
    assert shell_files.sourced_file(statement.encode(), "/home/me") is None


def test_windows_lines_are_those_of_most_of_the_file():
    assert shell_files.has_windows_lines(b"a\r\nb\r\nc\n")
    assert not shell_files.has_windows_lines(b"a\r\nb\nc\n")
    assert shell_files.with_unix_lines(b"\xef\xbb\xbfa\r\nb\rc\r\n") == b"a\nb\rc\n"


def test_our_block_is_known_by_its_marks_and_ends_with_them():
    lines = [b"a\n", b"# BEGIN provision: environment\n", b"b\n", b"# END provision: environment\n", b"c\n"]
    assert [shell_files.in_our_block(lines, number) for number in range(1, 6)] == [False, True, True, True, False]


def test_a_line_goes_on_after_an_odd_number_of_backslashes():
    assert [shell_files.continues(line) for line in (b"a \\\n", b"a \\\\\n", b"a\n")] == [True, False, False]


def test_a_text_for_csh_is_cut_between_its_statements():
    lines = [b"setenv A 1\n", b"if ( $?prompt ) then\n", b"  if ( 1 ) echo a\n", b"else\n", b"  b\n", b"endif\n"]
    assert shell_files.csh_wholes(lines) == (True, False, False, False, False, True)


def test_what_is_indented_belongs_to_the_line_above():
    lines = [b"if a; then\n", b"  b\n", b"\n", b"\tc\n", b"\n", b"d\n"]
    assert shell_files.indented_end(lines, 1) == 4
    assert shell_files.indented_end(lines, 6) == 6


@pytest.mark.parametrize("line", [b"set -e\n", b"  set -eu\n", b"set -o errexit\n"])
def test_the_option_that_ends_a_shell_at_any_failure_is_seen(line):
    assert shell_files.line_of_errexit([b"a\n", line, b"false\n"], 3) == 2


@pytest.mark.parametrize("line", [b"set -u\n", b"# set -e\n", b"settle -e\n", b"set +e\n"])
def test_no_other_line_is_taken_for_it(line):
    assert shell_files.line_of_errexit([line, b"false\n"], 2) is None
