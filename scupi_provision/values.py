"""Small types shared by every room: text that remembers its source, file modes, secrets."""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.errors import Position, ProvisionError


class SourceText(str):
    """A scalar exactly as it stands in a source file.

    It is a `str`, so every consumer may treat it as text; a schema that wants a number, a mode or a
    boolean decides from `text` and `plain`, never from a guess made while reading YAML.

    Attributes:
        position: Where the scalar begins.
        plain: True when it was written without quotes (and is not a block scalar): `644`, not `"644"`.
    """

    __slots__ = ("plain", "position")
    position: Position
    plain: bool

    def __new__(cls, text: str, position: Position, *, plain: bool = False) -> SourceText:
        """Keep `text` together with where and how it was written."""
        self = super().__new__(cls, text)
        self.position = position
        self.plain = plain
        return self


class TemplateText(SourceText):
    """Source text that may be rendered as a template.

    Trust is carried by this type alone: text that came from a host is never a `TemplateText`, so it is never
    rendered, wherever it ends up (DESIGN 5; the family of CVE-2021-3583 and CVE-2024-11079).
    """

    __slots__ = ()


class Secretive:
    """Marks a text that is a secret or comes of one, so that what templates make of it is found and masked as well."""

    __slots__ = ()

    def __str__(self) -> str:
        return SecretText(str.__str__(self))


class SecretSource(Secretive, SourceText):
    """Source text that stood in a vault as `!vault`. It is data: no braces in it are ever looked at."""

    __slots__ = ()


class SecretTemplate(Secretive, TemplateText):
    """Text of a file that is a vault as a whole; templates in it are templates, as in any other file."""

    __slots__ = ()


class SecretText(Secretive, str):
    """Text that was made from a secret while rendering."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


class LockedText(SourceText):
    """A `!vault` that could not be opened. It may be passed around; using it raises `cause`."""

    __slots__ = ("cause",)
    cause: ProvisionError

    @classmethod
    def of(cls, text: str, position: Position, cause: ProvisionError) -> LockedText:
        """The vault's own text, and why it stays closed."""
        made = cls(text, position)
        made.cause = cause
        return made


class SourceInt(int):
    """An undeclared variable's integer that still prints as it was written: `0644` stays "0644"."""

    text: str  # no __slots__: int does not allow them in subclasses

    def __new__(cls, value: int, text: str) -> SourceInt:
        """Keep `value` together with its digits as written."""
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


class SourceFloat(float):
    """An undeclared variable's float that still prints as it was written: `3.10` stays "3.10"."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: float, text: str) -> SourceFloat:
        """Keep `value` together with its digits as written."""
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


class Secret:
    """Text that must never be shown. `reveal()` is the only way out, and every caller of it is a review item."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


_SYMBOLIC_CLAUSE = re.compile(r"^([ugoa]*)([-+=])([rwxXst]*)$")
_PERMISSION_BITS = {"r": 4, "w": 2, "x": 1}
_CLASS_SHIFT = {"u": 6, "g": 3, "o": 0}


class FileMode:
    """A file mode as a playbook may say it: absolute (`0644`) or symbolic (`u=rwX,g=r`).

    Symbolic modes follow chmod(1): clauses joined by commas, `X` sets execute only for directories and for files
    that some class can already execute. Numbers without a leading zero are refused, because YAML would read
    `mode: 644` as decimal and Ansible would set 1204.
    """

    __slots__ = ("_absolute", "_clauses", "text")

    def __init__(self, text: str) -> None:
        """Parse `text`; raises ValueError with advice when it is not a mode."""
        self.text = text
        self._absolute: int | None = None
        self._clauses: tuple[tuple[str, str, str], ...] = ()
        if re.fullmatch(r"[0-7]{3,5}", text):
            self._absolute = int(text, 8)
            if self._absolute > 0o7777:
                raise ValueError(f"mode {text} is larger than 07777")
            return
        clauses = [_SYMBOLIC_CLAUSE.match(clause) for clause in text.split(",")]
        if not text or not all(clauses):
            raise ValueError(f'{text!r} is not a file mode; write it as "0644" or "u=rw,g=r,o="')
        self._clauses = tuple((m[1] or "a", m[2], m[3]) for m in clauses if m)

    def resolve(self, current: int, *, is_directory: bool) -> int:
        """The permission bits that this mode gives a file whose bits are `current` (0..07777)."""
        if self._absolute is not None:
            return self._absolute
        bits = current
        for who, operator, permissions in self._clauses:
            bits = _apply_clause(bits, who, operator, permissions, is_directory=is_directory)
        return bits

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileMode) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"FileMode({self.text!r})"


def _apply_clause(bits: int, who: str, operator: str, permissions: str, *, is_directory: bool) -> int:
    classes = "ugo" if "a" in who else who
    wanted = mask = 0
    for name in classes:
        shift = _CLASS_SHIFT[name]
        mask |= 7 << shift
        for permission in permissions:
            if permission == "X":
                wanted |= (1 << shift) if is_directory or bits & 0o111 else 0
            elif permission in _PERMISSION_BITS:
                wanted |= _PERMISSION_BITS[permission] << shift
    if "s" in permissions:
        wanted |= (0o4000 if "u" in classes else 0) | (0o2000 if "g" in classes else 0)
    if "t" in permissions:
        wanted |= 0o1000
    if operator == "+":
        return bits | wanted
    if operator == "-":
        return bits & ~wanted
    return (bits & ~mask) | wanted


def plain_value(value: Any) -> Any:
    """A copy of `value` made of built-in types only (for JSON and for hashing): source types become str/int/float."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, SourceInt | SourceFloat):
        return value.text
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {plain_value(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    return value


class UnknownValueError(Exception):
    """A decision needs something that no plan can know: the output of a command that has not run.

    Internal: the planner turns it into "known after apply" and, when applying, waits for that step.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownValue:
    """Stands for a value that is known after apply. It may be passed around; looking at it raises UnknownValueError."""

    __slots__ = ("_reason",)

    def __init__(self, reason: str) -> None:
        object.__setattr__(self, "_reason", reason)

    def __repr__(self) -> str:
        return f"<known after apply: {self._reason}>"

    def _looked_at(self, *_: object, **__: object) -> Any:
        raise UnknownValueError(self._reason)

    __str__ = __bool__ = __iter__ = __len__ = __getitem__ = __contains__ = __call__ = _looked_at
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _looked_at
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _looked_at
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _looked_at
    __int__ = __float__ = __index__ = __format__ = _looked_at
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnknownValueError(self._reason)
