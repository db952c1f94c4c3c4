"""Everything below a folder of the host."""

from __future__ import annotations

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.shell.details import Details, read_tree


def tree_below(host: HostView, folder: str, *, depth: int | None = None, links: bool = False) -> dict[str, Details]:
    """What is below `folder`, by its path relative to that.

    Args:
        host: Where.
        folder: A directory, or a link to one.
        depth: How many levels; None for all.
        links: Whether links to directories are gone into.

    Raises:
        UnknownValueError: The plan changes something there.
    """
    path = host.path(folder)
    words = ("L" if links else "P", "" if depth is None else str(depth), path)
    told = host.inspect("tree", *words, roots=(path, host.resolve(path)))
    try:
        return read_tree(told)
    except ValueError:
        raise TaskFailedError(f"{path} changes while it is looked at; run again") from None
