"""Finding sections of INI files."""

from scupi_provision.modules.ini_lines import section_bounds


def test_a_file_without_sections_has_none():
    assert section_bounds([], "user", ()) is None
    assert section_bounds(["a=1\n"], "user", ()) is None


def test_a_section_ends_where_the_next_begins():
    assert section_bounds(["[a]\n", "x=1\n", "[user]\n", "y=2\n"], "a", ()) == (0, 2)
