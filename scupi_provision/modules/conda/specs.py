"""What conda calls a MatchSpec, against what the names in `conda-meta` say is installed: no conda is started."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scupi_provision.modules.conda.versions import CondaVersion, parse_version

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s\[\]=<>!~|,*]+)::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)\s*"
    r"(?P<rest>[^\[\]]*?)\s*(?:\[(?P<keys>[^\[\]]*)\])?"
)
_KEY = re.compile(
    r"\s*(?P<key>[a-z0-9_]+)\s*=\s*(?P<quote>['\"]?)(?P<value>.*?)(?P=quote)\s*(?:,(?=\s*[a-z0-9_]+\s*=)|$)"
)
_RELATION = re.compile(r"(==|!=|<=|>=|~=|=|<|>)\s*([^\s=<>!~|,()][^\s=<>~|,()]*)")
_SPACES_IN_VERSION = re.compile(r"(?<=[=<>!~|,(])\s+|\s+(?=[|,)])")


@dataclass(frozen=True)
class CondaPackage:
    """A package that is installed."""

    name: str
    version: str
    build: str

    @property
    def full_name(self) -> str:
        """As `conda-meta` and archives of packages are named."""
        return f"{self.name}-{self.version}-{self.build}"


@dataclass(frozen=True)
class CondaSpec:
    """What is asked for.

    Attributes:
        text: As it was written; what conda is given.
        name: Of the package, in lower case.
        version: Alternatives with `|` of terms with `,`, such as `>=1.2,<2|3.*`; "" is any.
        build: The build string, in which `*` stands for anything; "" is any.
        channel: Where it must come from; "" is any of the channels that are asked.
    """

    text: str
    name: str
    version: str = ""
    build: str = ""
    channel: str = ""

    def allows(self, package: CondaPackage) -> bool:
        """Whether the package fits. Where it came from cannot be told from its name and is not looked at."""
        if package.name != self.name or not _matches_glob(package.build, self.build):
            return False
        return not self.version or any(
            all(_holds(term, package.version) for term in alternative.split(","))
            for alternative in self.version.split("|")
        )


def parse_spec(text: str) -> CondaSpec:
    """One MatchSpec: `name`, `name=1.2`, `name>=1,<2`, `name 1.2.* *cuda*`, `channel::name`, `name[version='>=1']`.

    Raises:
        ValueError: It is none, or names what cannot be recognised among installed packages.
    """
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not what conda calls a match specification, such as numpy>=1.26,<2")
    version, build = _version_and_build(match["rest"])
    keys = _keys(match["keys"] or "", text)
    spec = CondaSpec(
        text.strip(),
        match["name"].lower(),
        keys.get("version", version),
        keys.get("build", build),
        keys.get("channel", match["channel"] or ""),
    )
    _check(spec)
    return spec


def _version_and_build(rest: str) -> tuple[str, str]:
    """`=1.2` is any 1.2, `=1.2=build` and ` 1.2` are exactly 1.2."""
    words = _SPACES_IN_VERSION.sub("", rest).split()
    if len(words) == 1:
        exact = re.fullmatch(r"=?=?([^=<>~!,|][^=<>~,|]*)=([^=<>~,|]+)", words[0])
        if exact:
            return exact[1], exact[2]
    if len(words) > 2:
        raise ValueError(f"{rest!r}: after the name stand a version and a build, not more")
    return words[0] if words else "", words[1] if len(words) == 2 else ""


def _keys(text: str, spec: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while text.strip():
        match = _KEY.match(text)
        if match is None:
            raise ValueError(f"{spec!r}: in brackets stand pairs such as version='>=1'")
        if match["key"] not in {"version", "build", "channel"}:
            raise ValueError(f"{spec!r}: {match['key']} cannot be recognised among installed packages; use a lock file")
        found[match["key"]] = match["value"].replace(" ", "")
        text = text[match.end() :]
    return found


def _check(spec: CondaSpec) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_.+*]*", spec.build):
        raise ValueError(f"{spec.text!r}: {spec.build} is not a build; conditions on a version stand without spaces")
    if any(character in spec.version for character in "()^$"):
        raise ValueError(f"{spec.text!r}: parentheses and regular expressions in versions are not supported")
    for term in re.split(r"[|,]", spec.version) if spec.version else []:
        operator, version = _term(term)
        if operator == "~=" and "+" in version:
            raise ValueError(f"{spec.text!r}: ~= goes with versions without a local part (+…)")
        if version.strip("*.") or operator not in {"", "="}:
            parse_version(version.rstrip("*").rstrip(".") if version.endswith("*") else version.replace("*", "0"))


def _term(term: str) -> tuple[str, str]:
    """Operator and version; an operator "=" means "begins with"."""
    match = _RELATION.fullmatch(term)
    operator, version = (match[1], match[2]) if match else ("", term)
    if not version or (match is None and re.search(r"[=<>~]|^!", term)):
        raise ValueError(f"{term!r} is not a condition on a version, such as >=1.26")
    if version.endswith("*") and "*" not in version.rstrip("*"):
        return operator or "=", version
    return operator, version


def _holds(term: str, version: str) -> bool:
    operator, wanted = _term(term)
    if operator in {"", "="} and not wanted.strip("*."):
        return True
    if "*" in wanted.rstrip("*"):
        return _matches_glob(version, wanted) is (operator != "!=")
    try:
        return _compare(operator, parse_version(version), wanted)
    except ValueError:  # an installed package with a version that conda itself would not order
        return version == wanted


def _compare(operator: str, have: CondaVersion, text: str) -> bool:
    begins = text.endswith("*")
    wanted = parse_version(text.rstrip("*").rstrip(".") if begins else text)
    if operator == "=":
        return have.starts_with(wanted)
    if operator == "!=":
        return not (have.starts_with(wanted) if begins else have == wanted)
    if operator == "~=":
        return have >= wanted and have.starts_with(CondaVersion(wanted.main[:-1]))
    relations = {
        "": have == wanted, "==": have == wanted, ">=": have >= wanted, "<=": have <= wanted, ">": have > wanted,
        "<": have < wanted,
    }  # fmt: skip
    return relations[operator]


def _matches_glob(text: str, pattern: str) -> bool:
    return not pattern or re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def installed_packages(paths: Iterable[str]) -> dict[str, CondaPackage]:
    """What the names of `conda-meta/*.json` say is installed, by name."""
    found = (package_of(posixpath.basename(path).removesuffix(".json")) for path in sorted(paths))
    return {package.name: package for package in found if package is not None}


def package_of(full_name: str) -> CondaPackage | None:
    """`numpy-1.26.4-py311h64a7726_0` taken apart; None when it is not such a name."""
    parts = full_name.rsplit("-", 2)
    return CondaPackage(*parts) if len(parts) == 3 and all(parts) else None


def missing_specs(specs: Iterable[CondaSpec], have: Mapping[str, CondaPackage]) -> list[CondaSpec]:
    """The specs that nothing installed fits."""
    return [spec for spec in specs if spec.name not in have or not spec.allows(have[spec.name])]
