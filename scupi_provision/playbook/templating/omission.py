"""`omit`: the value that leaves an argument out."""

from __future__ import annotations


class Omit:
    """The value of `omit`: an argument, key or item that has it is left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<omit>"

    def __str__(self) -> str:
        raise ValueError("omit stands for a whole value and cannot be part of a text")


OMIT = Omit()
