"""What happens one time in some hundred must not happen at all."""

import threading

from real_plays import HOME_ONLY
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import LockedReply, StepDone
from scupi_provision.transport.local import LocalTransport

_PROGRAMS = 120


def test_no_program_is_waited_for_for_ever(plays, tmp_path):
    """The helpers of a program (ticker, watcher) end with it, also when it ends before they have begun.

    Three sessions side by side make the forked helpers late, which is when a signal could be lost.
    """
    done = [0, 0, 0]

    def perform(session, number):
        for reply in session.perform([Turn(step, [Run(("/bin/true",))]) for step in range(_PROGRAMS)]):
            done[number] += isinstance(reply, StepDone)
        session.close()

    threads = []
    for number in range(3):
        plays.home = tmp_path / f"home-{number}"
        plays.home.mkdir()
        threads.append(threading.Thread(target=perform, args=(plays.open(), number), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
    assert done == [_PROGRAMS] * 3


def side_by_side(home, run_ids):
    """What came back of two programs that enter a room at the same time, under the lock of one home."""
    room = "mkdir ~/room || exit 9; sleep 0.4; rmdir ~/room"
    steps = [Turn(0, [Run(("/bin/sh", "-c", room))])]
    found = [[], []]

    def perform(number):
        transport = LocalTransport({"HOME": str(home), **HOME_ONLY})
        session = Session(transport, run_id=run_ids[number], owner=f"somebody (of tests, run {run_ids[number]})")
        found[number] = [type(reply) for reply in session.perform(steps)]
        session.close()

    threads = [threading.Thread(target=perform, args=(number,), daemon=True) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_hosts_of_one_run_that_share_a_home_wait_for_one_another(plays):
    """Both do their work, never at the same time."""
    found = side_by_side(plays.home, ["run-1", "run-1"])
    assert [StepDone in replies for replies in found] == [True, True]


def test_another_run_is_refused_while_one_is_at_work(plays):
    found = side_by_side(plays.home, ["run-1", "run-2"])
    assert sorted((StepDone in replies, LockedReply in replies) for replies in found) == [(False, True), (True, False)]
    assert not list((plays.home / ".provision").glob("*lock*"))
