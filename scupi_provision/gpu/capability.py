"""Compute capabilities of GPUs, and whether a program's binary code serves them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_CAPABILITY = re.compile(r"(\d{1,2})\.(\d)")


@dataclass(frozen=True, order=True)
class Capability:
    """A GPU's compute capability, such as 8.0 for an A100."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Capability:
        """Read "8.0".

        Raises:
            ValueError: It is not written so.
        """
        match = _CAPABILITY.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'{text!r} is not a compute capability; one is written like "8.0"')
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Code:
    """Code in a binary: for a compute capability and, with `ptx`, in a form that drivers translate for newer ones."""

    made_for: Capability
    ptx: bool = False

    def __str__(self) -> str:
        return f"{self.made_for}{'+PTX' if self.ptx else ''}"

    @classmethod
    def parse(cls, text: str) -> Code:
        """Read "9.0" or "12.0+PTX".

        Raises:
            ValueError: It is not written so.
        """
        return cls(Capability.parse(text.removesuffix("+PTX")), text.endswith("+PTX"))


def runs_as_it_is(codes: Iterable[Code], gpu: Capability) -> bool:
    """Whether one of `codes` runs on `gpu` without translation: the same major number, and no later minor one.

    Source: torch/cuda/__init__.py, "compute architectures are backward compatible within major version".
    """
    return any(code.made_for.major == gpu.major and code.made_for.minor <= gpu.minor for code in codes)


def can_be_translated(codes: Iterable[Code], gpu: Capability) -> bool:
    """Whether one of `codes` has PTX for a GPU like `gpu` or an older one, so that a driver may translate it."""
    return any(code.ptx and code.made_for <= gpu for code in codes)
