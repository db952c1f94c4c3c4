"""What torch_builds.yaml must look like, and reading it. Nothing is typed by YAML: a version is always text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from scupi_provision.errors import InternalError
from scupi_provision.gpu.capability import Code
from scupi_provision.source import raw, read_document


def _version(text: str) -> str:
    try:
        Version(text)
    except InvalidVersion:
        raise ValueError(f"{text!r} is not a version") from None
    return text


def _code(text: str) -> str:
    Code.parse(text)
    return text


Number = Annotated[str, AfterValidator(_version)]
Arch = Annotated[str, AfterValidator(_code)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where facts are from; `mark` says how far it is to be trusted."""

    mark: Literal["confirmed", "measured", "secondary"]
    what: str


class FamilyRow(_Part):
    """A CUDA family, the oldest driver for it, and the CUDA that this driver knows at least."""

    cuda: Number
    driver: Number
    source: str


class Variant(_Part):
    """An index, by its tag."""

    cuda: str = ""
    archs: tuple[Arch, ...] = ()
    source: str = ""
    lacks: dict[str, str] = {}


class Deviation(_Part):
    """What is different for one tag of a series."""

    glibc: str = ""
    archs: tuple[Arch, ...] = ()
    source: str = ""
    unsure: str = ""


class Series(_Part):
    """The releases of one minor version; they differ in nothing else."""

    name: str
    versions: dict[Number, tuple[Number, Number]]
    python: tuple[Number, Number]
    glibc: Number
    tags: tuple[str, ...]
    exceptions: dict[str, Deviation] = {}
    note: str = ""
    audio_note: str = ""
    vision_note: str = ""
    sources: tuple[str, ...]


class CondaRow(_Part):
    """One build of conda-forge."""

    torch: Number
    cuda: Number
    glibc: Number
    python: tuple[Number, Number]
    archs: tuple[Arch, ...]
    source: str


class NumpyRule(_Part):
    """A torch before `before_torch` needs `pin`."""

    before_torch: Number
    pin: str


class TableFile(_Part):
    """The whole file."""

    as_of: str
    sources: dict[str, Source]
    families: tuple[FamilyRow, ...]
    variants: dict[str, Variant]
    series: tuple[Series, ...]
    numpy: NumpyRule
    wheels_glibc: Number
    conda_forge: tuple[CondaRow, ...]

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> TableFile:
        tags = {tag for series in self.series for tag in (*series.tags, *series.exceptions)}
        if strangers := tags - set(self.variants):
            raise ValueError(f"no variant is described for {', '.join(sorted(strangers))}")
        for series in self.series:
            if unused := set(series.exceptions) - set(series.tags):
                raise ValueError(f"series {series.name} has no tag {', '.join(sorted(unused))}")
        named = {name for series in self.series for name in series.sources}
        named |= {family.source for family in self.families} | {row.source for row in self.conda_forge}
        named |= {variant.source for variant in self.variants.values()}
        named |= {exception.source for series in self.series for exception in series.exceptions.values()}
        if strangers := named - set(self.sources) - {""}:
            raise ValueError(f"no source is described for {', '.join(sorted(strangers))}")
        return self


def read_table(path: Path) -> TableFile:
    """The file at `path`, checked.

    Raises:
        InternalError: It is not a table of builds; it comes with the package, so this is nobody else's mistake.
    """
    try:
        return TableFile.model_validate(raw(read_document(path)))
    except ValidationError as error:
        raise InternalError(f"the table {path.name} is wrong", detail=str(error)) from error
