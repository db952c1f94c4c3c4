"""How a play goes over its hosts: sizes of batches, and which variables others may see."""

from hypothesis import given
from hypothesis import strategies as some
from scupi_provision.run.company.batches import batches

_SIZES = some.one_of(some.integers(-1, 7), some.integers(1, 100).map(lambda number: f"{number}%"))


@given(hosts=some.lists(some.integers(), max_size=30), serial=some.lists(_SIZES, max_size=4))
def test_batches_hold_every_host_once_and_in_order(hosts, serial):
    found = batches(hosts, serial)
    assert [host for batch in found for host in batch] == hosts
    assert all(found)


@given(hosts=some.lists(some.integers(), min_size=1, max_size=30), size=some.integers(1, 7))
def test_the_last_size_repeats(hosts, size):
    found = batches(hosts, [1, size])
    assert {len(batch) for batch in found[1:-1]} <= {size}


def test_a_percentage_is_rounded_down_but_is_one_host_at_least():
    assert [len(batch) for batch in batches(range(10), ["35%"])] == [3, 3, 3, 1]
    assert [len(batch) for batch in batches(range(3), ["10%"])] == [1, 1, 1]
