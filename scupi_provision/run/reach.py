"""What becomes of a play where a host cannot be reached."""

from __future__ import annotations

from scupi_provision.playbook.definitions import every_item
from scupi_provision.playbook.models import Play


def forgives(play: Play) -> bool:
    """Whether a host that cannot be reached is no failure: every task of `play` says `ignore_unreachable`."""
    flags = [placed.item.inherited.ignore_unreachable for placed in every_item(play.tasks)]
    return bool(flags) and all(flag is True for flag in flags)
