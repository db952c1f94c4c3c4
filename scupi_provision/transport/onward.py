"""Going on from the last hop of our own: by ssh on it, or by a job there, whichever the next host allows."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Hop, Tell, Transport
from scupi_provision.transport.failures import ForwardingRefusedError
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.nested import nest
from scupi_provision.transport.onward_failures import unsuitable_after
from scupi_provision.transport.route import printable


def go_on(
    near: Transport,
    before: Hop,
    rest: Sequence[tuple[Hop, HostKeyJudge]],
    refusal: UnreachableError | None,
    tell: Tell,  # noqa: ARG001 - jobs are coming
) -> Transport:
    """The way over the hops of `rest`, which begin behind `before`, the last hop of `near`.

    Args:
        near: As far as our own connections lead; closed when nothing leads on.
        before: Its last hop.
        rest: The hops that are left, with what is known of their keys; not empty.
        refusal: Why no connection of our own leads to the first of them; None when its `reach` says how to go.
        tell: Told what is waited for.

    Raises:
        UnreachableError: One of them cannot be reached.
    """
    way = near
    try:
        for hop, judge in rest:
            way = _one_further(way, before, hop, judge, refusal)
            before, refusal = hop, None
    except BaseException:
        way.close()
        raise
    return way


def _one_further(
    way: Transport, before: Hop, hop: Hop, judge: HostKeyJudge, refusal: UnreachableError | None
) -> Transport:
    if hop.reach == "jump":
        raise unsuitable_after(before, hop)
    return nest(way, before, hop, judge, _explained(way, before, hop, refusal))


def _explained(way: Transport, before: Hop, hop: Hop, refusal: UnreachableError | None) -> str:
    """Said once, before anything else: the nested way is not as closed as a jump."""
    here, there = printable(before.name), printable(hop.name)
    why = f"{here} does not forward" if isinstance(refusal, ForwardingRefusedError) else "as the inventory asks"
    if way.explanation:
        why = f"{way.explanation}; behind it"
    return f"{why}: {there} is reached by ssh on {here} ({here} could read along)"
