"""How a pass over a play ends before its last item."""

from __future__ import annotations


class PlayFailedError(Exception):
    """A task failed and nobody rescues it."""


class PlayLostError(Exception):
    """What one host does for all has failed there: the play is lost here, and no `rescue` has anything to do."""


class PlayEndsError(Exception):
    """`meta: end_play` or `end_host`."""


class PassEndsError(Exception):
    """Something has to happen on the host before more can be planned."""
