"""YAML text to nodes that know their place. Nothing is typed here: every scalar stays the text that was written.

`nodes` says what a document is made of, `reader` makes it from text, `scalars` gives it Python types where nothing
declares them, `places` finds lines for error messages, `spelling` finds what was meant.
"""

from scupi_provision.source.nodes import MappingNode, Node, NullNode, SequenceNode
from scupi_provision.source.places import diagnostic, excerpt
from scupi_provision.source.reader import read_bytes, read_document, read_text
from scupi_provision.source.scalars import implicit, raw
from scupi_provision.source.spelling import closest, suggestion

__all__ = [
    "MappingNode",
    "Node",
    "NullNode",
    "SequenceNode",
    "closest",
    "diagnostic",
    "excerpt",
    "implicit",
    "raw",
    "read_bytes",
    "read_document",
    "read_text",
    "suggestion",
]
