"""`~/.ssh/authorized_keys`, as bytes: whose lines are in it, and one more. Lines of others are never touched."""

from __future__ import annotations


def admits(content: bytes, public: str) -> bool:
    """Whether a line of `content` lets the key `public` (`type base64 …`) in; what options it has does not matter."""
    blob = public.split()[1].encode()
    lines = (line.split() for line in content.splitlines() if not line.lstrip().startswith(b"#"))
    return any(blob in words for words in lines)


def with_line(content: bytes, public: str) -> bytes:
    """`content` and behind it the line `public`; a last line without an end gets one, or both keys would be lost."""
    separator = b"" if not content or content.endswith(b"\n") else b"\n"
    return content + separator + public.encode() + b"\n"
