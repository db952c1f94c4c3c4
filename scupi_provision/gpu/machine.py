"""What a build of torch has to suit, and what somebody wants of it; both read from text that people or hosts gave."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from scupi_provision.gpu.capability import Capability

AUTO = "auto"
"""The word for "choose it for me"."""
NEWEST = "newest"
"""The word for "the newest that suits, also when an older one is there"."""

_DRIVER = re.compile(r"\d{3}(\.\d{1,4}){0,2}")
_TWO_NUMBERS = re.compile(r"\d{1,2}\.\d{1,2}")
_GLIBC = re.compile(r"2\.\d{1,2}(\.\d+)?")
_PYTHON = re.compile(r"=*(3\.\d{1,2})(\.(\d+|\*))?")
_EXACT = re.compile(r"\d+\.\d+\.\d+(\.?(a|b|rc|post|dev)\d+)?")
_SERIES = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Machine:
    """The nodes that torch is for. An empty value is one that is not known, but no driver is no driver.

    Attributes:
        driver: The NVIDIA driver of the GPU node, such as "510.47.03"; "" without one.
        cuda: The CUDA that this driver itself supports, such as "11.6".
        capabilities: The compute capabilities of all GPUs that may be used.
        glibc: The older of the nodes' C libraries.
        python: The Python of the environment, such as "3.11"; "" when it may be chosen.
    """

    driver: str = ""
    cuda: str = ""
    capabilities: tuple[Capability, ...] = ()
    glibc: str = ""
    python: str = ""


@dataclass(frozen=True)
class Wish:
    """What somebody wants, beyond the newest that fits.

    Attributes:
        versions: Which versions of torch will do.
        tag: The index it must be from, such as "cu118" or "cpu", or "conda-forge"; "" for any with CUDA.
        companions: More packages, such as torchvision, as pip takes them.
        unsure: Whether builds that the table is not sure of may be chosen.
    """

    versions: SpecifierSet = field(default_factory=SpecifierSet)
    tag: str = ""
    companions: tuple[str, ...] = ()
    unsure: bool = False

    @property
    def exact(self) -> str:
        """The one version that is asked for, or "" when there may be several."""
        only = next(iter(self.versions), None)
        if len(self.versions) == 1 and only and only.operator in {"==", "==="} and not only.version.endswith("*"):
            return only.version
        return ""


def read_machine(
    *, driver: str = "", cuda: str = "", capabilities: Iterable[str] = (), glibc: Iterable[str] = (), python: str = ""
) -> Machine:
    """A machine from text; of several C libraries the oldest counts, empty ones are those of hosts without glibc.

    Raises:
        ValueError: One of them is not what it should be; the message says which and how it is written.
    """
    _check_driver(driver)
    if cuda and not _TWO_NUMBERS.fullmatch(cuda):
        raise ValueError(f'cuda {cuda!r} is not a CUDA version; one is written like "12.2"')
    libraries = [text for text in glibc if text]
    for text in libraries:
        if not _GLIBC.fullmatch(text):
            raise ValueError(f'glibc {text!r} is not a version of glibc; one is written like "2.17"')
    found = {Capability.parse(text) for text in capabilities}
    return Machine(driver, cuda, tuple(sorted(found)), min(libraries, key=Version, default=""), _python(python))


def _check_driver(text: str) -> None:
    if not text or _DRIVER.fullmatch(text):
        return
    looks = ', which looks like a CUDA version; nvidia-smi calls the number "Driver Version"'
    raise ValueError(
        f'driver {text!r} is not the version of an NVIDIA driver, such as "510.47.03"'
        f"{looks if _TWO_NUMBERS.fullmatch(text) else ''}"
    )


def _python(text: str) -> str:
    if not text:
        return ""
    match = _PYTHON.fullmatch(text)
    if match is None:
        raise ValueError(f'python {text!r} is not a version of Python 3; one is written like "3.11"')
    return match[1]


def read_wish(*, version: str = "", tag: str = "", companions: Iterable[str] = (), unsure: bool = False) -> Wish:
    """A wish from text: `2.4` means any 2.4, `2.4.1` that one, `2.4.1+cu121` that build, `>=2.4,<2.6` what it says.

    Raises:
        ValueError: The version is none of these, or two tags are asked for.
    """
    text = "" if version in {AUTO, NEWEST} else version.strip().removeprefix("v")
    tag = "" if tag == AUTO else tag
    number, plus, local = text.partition("+")
    if plus:
        if tag and tag != local:
            raise ValueError(f"version {version!r} is a build for {local}, and {tag} is asked for")
        tag = local
    return Wish(_specifier(number, version), tag, tuple(companions), unsure)


def _specifier(text: str, written: str) -> SpecifierSet:
    try:
        if _EXACT.fullmatch(text):
            return SpecifierSet(f"=={Version(text)}")
        return SpecifierSet(f"=={text}.*" if _SERIES.fullmatch(text) else text)
    except (InvalidSpecifier, InvalidVersion):
        raise ValueError(
            f"version {written!r} is not understood; write 2.4, 2.4.1, 2.4.1+cu121 or a range such as >=2.4,<2.6"
        ) from None
