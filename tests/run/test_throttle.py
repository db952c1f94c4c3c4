"""`throttle`: at most so many hosts do a task at the same time."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scupi_provision.plan.models import Throttle
from scupi_provision.run.company.turns import Turns

_LONGEST_S = 10.0


@settings(deadline=None, max_examples=20)
@given(most=some.integers(1, 4), hosts=some.integers(1, 8))
def test_never_more_than_so_many_are_at_it_and_all_have_their_turn(most, hosts):
    turns, counting = Turns(), threading.Lock()
    busy, seen = [0], []

    def count(by: int) -> None:
        with counting:
            busy[0] += by
            seen.append(busy[0])

    def go() -> None:
        with turns.taking(Throttle("site.yml:3:7", most)):
            count(+1)
            count(-1)

    threads = [threading.Thread(target=go, daemon=True) for _ in range(hosts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONGEST_S)
    assert not any(thread.is_alive() for thread in threads)
    assert len(seen) == 2 * hosts
    assert max(seen) <= most


def test_tasks_of_other_places_and_those_without_a_throttle_wait_for_nobody():
    turns = Turns()
    with turns.taking(Throttle("site.yml:3:7", 1)), turns.taking(Throttle("site.yml:9:7", 1)), turns.taking(None):
        pass


def test_a_turn_ends_with_a_failure():
    turns = Turns()
    throttle = Throttle("site.yml:3:7", 1)
    with pytest.raises(ConnectionError), turns.taking(throttle):
        raise ConnectionError
    with turns.taking(throttle):
        pass
