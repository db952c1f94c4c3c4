"""What happens one time in some hundred must not happen at all."""

import threading

from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import StepDone

_PROGRAMS = 120


def test_no_program_is_waited_for_for_ever(plays, tmp_path):
    """The helpers of a program (ticker, watcher) end with it, also when it ends before they have begun.

    Three sessions side by side make the forked helpers late, which is when a signal could be lost.
    """
    done = [0, 0, 0]

    def perform(session, number):
        for reply in session.perform([(step, [Run(("/bin/true",))]) for step in range(_PROGRAMS)]):
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
