import copy

import pytest
from module_cases import load, told
from pydantic import ValidationError
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.registry import MODULES

CASES = load()
WORKING = [case for case in CASES if not case.fails and not case.refused]


def planner(case):
    module = MODULES[case.module]
    args = module.args.model_validate(case.args)
    return lambda host: module.plan(args, host)


def same_keys(values, wanted):
    """Of `values`, what `wanted` has; in values that are mappings, too."""
    if not (isinstance(values, dict) and isinstance(wanted, dict)):
        return values
    return {key: same_keys(values.get(key), item) for key, item in wanted.items()}


def named(cases):
    return [pytest.param(case, id=f"{case.module}: {case.name}") for case in cases]


@pytest.mark.parametrize("case", named(WORKING))
def test_does_what_it_says(case):
    """The host is afterwards as the case says, byte for byte and mode for mode, and nothing else has changed."""
    memory = case.host()
    planned, performed = apply_on(memory, planner(case))
    assert (performed.outcome, performed.why) == ("done", "")
    assert planned.result.changed is case.changes
    assert told(memory.nodes) == case.wanted()
    assert same_keys(planned.result.values, case.values) == case.values


@pytest.mark.parametrize("case", named(WORKING))
def test_twice_is_once(case):
    """A second run finds nothing to do."""
    memory = case.host()
    apply_on(memory, planner(case))
    again = plan_on(memory, planner(case))
    assert again.result.changed is (case.again == "changed")
    if case.again == "ok":
        assert again.record.actions == []


@pytest.mark.parametrize("case", named(WORKING))
def test_check_says_what_apply_does(case):
    """Planning changes nothing, with diffs or without it plans the same, and says something for each change."""
    memory = case.host()
    before = copy.deepcopy(memory.nodes)
    shown = plan_on(memory, planner(case), diffs=True)
    assert memory.nodes == before
    planned, _ = apply_on(memory, planner(case))
    assert shown.record.actions == planned.record.actions
    assert [diff.summary for diff in shown.record.diffs] == [diff.summary for diff in planned.record.diffs]
    assert bool(planned.record.actions) is planned.result.changed


@pytest.mark.parametrize("case", named(WORKING))
def test_reads_are_few(case):
    """Facts, and then at most four exchanges that depend on one another, however many paths there are."""
    memory = case.host()
    assert plan_on(memory, planner(case), diffs=True).exchanges <= 5


@pytest.mark.parametrize("case", named([case for case in CASES if case.fails]))
def test_fails_with_a_reason(case):
    memory = case.host()
    before = copy.deepcopy(memory.nodes)
    with pytest.raises(TaskFailedError, match=case.fails):
        plan_on(memory, planner(case))
    assert memory.nodes == before


@pytest.mark.parametrize("case", named([case for case in CASES if case.refused]))
def test_refuses_arguments(case):
    with pytest.raises(ValidationError, match=case.refused):
        planner(case)
