"""A class list, as spreadsheets save it, to the people who shall get accounts."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.inventory.enrolment import Enrolment
from scupi_provision.source import suggestion

COLUMNS = ("id", "key", "name", "groups")
_DELIMITERS = (",", ";", "\t")
"""Excel writes semicolons where the comma is the decimal sign, and tabs as "Unicode text"."""
_GROUP_SEPARATORS = re.compile(r"[\s,;|]+")
_MOST_BYTES = 16 * 1024 * 1024


def read_roster(path: Path, key: str | None = None, groups: tuple[str, ...] = ()) -> tuple[Enrolment, ...]:
    """The people in a CSV file with a heading of `id`, `key`, `name`, `groups`; the last two may be missing.

    Args:
        path: The file. Delimiter, byte order mark and encoding (UTF-8, UTF-16, GB 18030) are found out.
        key: The key file of those who have none in the list; `{id}` stands for the id, here and in the list.
            Relative paths in the list are relative to the list, this one is as everybody expects.
        groups: Groups that all of them are in.

    Raises:
        InputError: With every line that is wrong.
    """
    text = _decoded(path)
    first = text.lstrip("\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    problems: list[Diagnostic] = []
    people: list[Enrolment] = []
    columns: list[str] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            where = Position(str(path), reader.line_num, 1)
            if not columns:
                columns = _columns(row, where, with_key=key is not None)
                continue
            person = _person(dict(zip(columns, row, strict=False)), where, path, key, groups)
            if len(row) > len(columns):
                problems.append(Diagnostic(f"{len(row)} cells below {len(columns)} columns", where))
            elif isinstance(person, Diagnostic):
                problems.append(person)
            else:
                people.append(person)
    except csv.Error as error:
        problems.append(Diagnostic(f"this is no CSV: {error}", Position(str(path), reader.line_num, 1)))
    if problems:
        raise InputError.of(problems)
    if not people:
        raise InputError(f"{path} names nobody", hint=f"its first line is a heading: {','.join(COLUMNS)}")
    return tuple(people)


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read", detail=str(error.strerror)) from error
    if content[:4] == b"PK\x03\x04":
        raise InputError(f"{path} is a spreadsheet, not CSV", hint='save it as "CSV UTF-8"')
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path} is too large to be a class list")
    # Excel saves CSV in the encoding of the system: in China that is GB 18030 (or GBK, which is a part of it).
    encodings = ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:  # noqa: PERF203 - two tries
            continue
    raise InputError(f"{path} is not text", hint='save it as "CSV UTF-8"')


def _columns(row: list[str], where: Position, *, with_key: bool) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    for name in names:
        if name not in COLUMNS:
            hint = suggestion(name, COLUMNS) or f"the first line is a heading; columns are {', '.join(COLUMNS)}"
            raise InputError(f"unknown column {name!a}", where=where, hint=hint)
        if names.count(name) > 1:
            raise InputError(f"column {name} is there twice", where=where)
    for name in ("id",) if with_key else ("id", "key"):
        if name not in names:
            hint = "or name the keys with --key 'FOLDER/{id}'" if name == "key" else ""
            raise InputError(f"there is no column {name}", where=where, hint=hint)
    return names


def _person(
    cells: dict[str, str], where: Position, path: Path, key: str | None, groups: tuple[str, ...]
) -> Enrolment | Diagnostic:
    found = {name: cells.get(name, "").strip() for name in COLUMNS}
    if not found["id"]:
        return Diagnostic("there is no id in this line", where)
    if not found["key"] and key is None:
        return Diagnostic(f"there is no key for {found['id']}", where)
    if found["key"]:
        file = Path(found["key"].replace("{id}", found["id"]))
        file = file if str(file).startswith("~") else path.parent / file
    else:
        file = Path((key or "").replace("{id}", found["id"]))
    own = tuple(group for group in _GROUP_SEPARATORS.split(found["groups"]) if group)
    return Enrolment(found["id"], file, found["name"], tuple(dict.fromkeys((*groups, *own))), where)
