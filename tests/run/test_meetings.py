"""Hosts that wait for one another: nobody waits for ever, and what is seen is as of the place where it is asked for."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as some
from scupi_provision.run.company.meetings import Meetings
from scupi_provision.run.company.places import place_of
from scupi_provision.run.company.record import Assigned, variables_of

_LONGEST_S = 10.0


def _key(number: int) -> tuple[str, int]:
    return ("tasks", number)


def _all_end(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONGEST_S)
    return not any(thread.is_alive() for thread in threads)


@settings(deadline=None, max_examples=25)
@given(routes=some.lists(some.sets(some.integers(0, 6)), min_size=2, max_size=5))
def test_hosts_that_meet_at_different_places_all_come_to_the_end(routes):
    names = tuple(f"h{number}" for number in range(len(routes)))
    meetings = Meetings(names)

    def go(name: str, stops: set[int]) -> None:
        for number in range(7):
            meetings.tell(name, place_of(_key(number)), [])
            if number in stops:
                meetings.wait(name, place_of(_key(number)))
        meetings.done(name, failed=False)

    assert _all_end([threading.Thread(target=go, args=pair, daemon=True) for pair in zip(names, routes, strict=True)])


def test_a_host_that_dies_is_not_waited_for():
    meetings = Meetings(("a", "b", "c"))

    def wait(name: str) -> None:
        meetings.wait(name, place_of(_key(3)))
        meetings.done(name, failed=False)

    def die() -> None:
        meetings.tell("c", place_of(_key(1)), [])
        meetings.done("c", failed=True)

    waiting = [threading.Thread(target=wait, args=(name,), daemon=True) for name in ("a", "b")]
    for name in ("a", "b"):
        meetings.tell(name, place_of(_key(3)), [])
    assert _all_end([*waiting, threading.Thread(target=die, daemon=True)])
    assert not meetings.standing("c").is_in(place_of(_key(3)))


def test_what_a_host_sets_later_is_not_seen_earlier():
    meetings = Meetings(("a", "b"))
    record = [Assigned(place_of(_key(1)), {"x": 1}), Assigned(place_of(_key(5)), {"x": 2})]
    meetings.tell("b", place_of(_key(9)), record)
    assert variables_of(meetings.standing("b").until(place_of(_key(3)))) == {"x": 1}
    assert variables_of(meetings.standing("b").until(place_of(_key(6)))) == {"x": 2}


def test_a_later_pass_that_begins_anew_takes_nothing_back():
    meetings = Meetings(("a", "b"))
    meetings.tell("b", place_of(_key(4)), [Assigned(place_of(_key(1)), {"x": 1})])
    meetings.tell("b", place_of(_key(0)), [])
    assert meetings.standing("b").has_come_to(place_of(_key(3)))
    assert variables_of(meetings.standing("b").until(place_of(_key(3)))) == {"x": 1}


def test_what_is_inside_of_an_item_comes_after_it_and_before_the_next():
    keys = [("tasks", 0), ("tasks", 0, "block", 2), ("tasks", 0, "rescue", 0), ("tasks", 0, "always", 1)]
    keys += [("tasks", 0, "after"), ("tasks", 1), ("tasks", 1, "handlers", 0), ("tasks", 2), ("tasks~", "handlers", 0)]
    assert sorted(keys, key=place_of) == keys
