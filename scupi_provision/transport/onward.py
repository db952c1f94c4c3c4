"""Going on from the last hop of our own: by ssh on it, or by a job there, whichever the next host allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Hop, Tell, Transport
from scupi_provision.transport.failures import ForwardingRefusedError, NeedsJobError
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.nested import nest
from scupi_provision.transport.onward_failures import unsuitable_after
from scupi_provision.transport.route import printable
from scupi_provision.transport.slurm import take_job


def go_on(
    near: Transport,
    before: Hop,
    rest: Sequence[tuple[Hop, HostKeyJudge]],
    refusal: UnreachableError | None,
    tell: Tell,
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
            way = _one_further(way, before, hop, judge, refusal, tell)
            before, refusal = hop, None
    except BaseException:
        way.close()
        raise
    return way


def _one_further(
    way: Transport, before: Hop, hop: Hop, judge: HostKeyJudge, refusal: UnreachableError | None, tell: Tell
) -> Transport:
    if hop.reach == "jump":
        raise unsuitable_after(before, hop)
    if hop.reach == "slurm" or isinstance(refusal, NeedsJobError):
        return take_job(way, before, hop, tell)
    try:
        return nest(way, before, hop, judge, _explained(way, before, hop, refusal))
    except NeedsJobError:
        if hop.reach == "nested":
            raise
        return take_job(way, before, hop, tell)
    except UnreachableError as error:
        if refusal is not None:
            _mention(error, refusal)
        raise


def _mention(error: UnreachableError, refusal: UnreachableError) -> None:
    """Both ways have failed; the administrator may be able to open the first one."""
    first, last = refusal.diagnostic, error.diagnostic
    why = "\n".join(filter(None, (f"ssh there was tried because: {first.summary}", first.detail, last.detail)))
    error.diagnostics = (replace(last, detail=why),)


def _explained(way: Transport, before: Hop, hop: Hop, refusal: UnreachableError | None) -> str:
    """Said once, before anything else: the nested way is not as closed as a jump."""
    here, there = printable(before.name), printable(hop.name)
    why = f"{here} does not forward" if isinstance(refusal, ForwardingRefusedError) else "as the inventory asks"
    if way.explanation:
        why = f"{way.explanation}; behind it"
    return f"{why}: {there} is reached by ssh on {here} ({here} could read along)"
