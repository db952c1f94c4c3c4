"""`throttle`: what waits for its turn travels in a program of its own."""

import pytest
from plays import Plays
from scupi_provision.plan.planner import make_plan


def first_steps(plays: Plays, text: str) -> list[str]:
    """The steps of the first program of an apply."""
    plan = make_plan(plays.planning(text, stops=True), {}, plays.snapshot(), plays.memory.read)
    return [f"{step.label.name} {step.label.item}".strip() for step in plan.steps]


def test_what_stands_before_it_does_not_wait_with_it(plays):
    tasks = (
        "- {name: first, copy: {dest: ~/f, content: x}}\n- {name: second, copy: {dest: ~/g, content: x}, throttle: 1}"
    )
    assert first_steps(plays, tasks) == ["first"]


def test_what_follows_it_does_not_wait_with_it_and_the_items_of_its_loop_go_together(plays):
    tasks = """
        - {name: first, copy: {dest: "~/{{ item }}", content: x}, loop: [a, b], throttle: "{{ 1 + 1 }}"}
        - {name: second, copy: {dest: ~/g, content: x}}
        """
    assert first_steps(plays, tasks) == ["first a", "first b"]
    done = plays.apply(tasks)
    assert [event.outcome.value for event in done.finished] == ["changed"] * 3
    assert done.proved


def test_nought_is_no_throttle(plays):
    tasks = (
        "- {name: first, copy: {dest: ~/f, content: x}}\n- {name: second, copy: {dest: ~/g, content: x}, throttle: 0}"
    )
    assert first_steps(plays, tasks) == ["first", "second"]


@pytest.mark.parametrize("asked", ["-1", "some", "1.5"])
def test_what_is_no_number_of_hosts_fails_the_task(plays, asked):
    (step,) = plays.check("- {debug: {msg: x}, throttle: '{{ asked }}', vars: {asked: '" + asked + "'}}").steps
    assert step.outcome.value == "failed"
    assert "throttle is a whole number of hosts" in step.message
