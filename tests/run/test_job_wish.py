"""The inventory's wishes for a job, and what is refused before any host is touched."""

from __future__ import annotations

import pytest
from scupi_provision.errors import InputError
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.job_wish import job_wish
from scupi_provision.transport.base import JobWish


@pytest.fixture
def wish(tmp_path):
    """`wish(**variables)`: what the inventory's variables of gpu2 ask for."""

    def ask(**variables):
        file = tmp_path / "inventory.yaml"
        file.write_text("all:\n  hosts:\n    gpu2:\n      ansible_user: s1\n", encoding="utf-8")
        (host,) = load_inventory(file).everyone.values()
        return job_wish(variables, host)

    return ask


def test_nothing_said_is_the_default(wish):
    assert wish() == JobWish()


def test_options_are_words_in_a_list_or_as_a_shell_would_split_them(wish):
    words = ("--partition=gpu", "--comment=two words")
    assert wish(slurm_options=list(words)).options == words
    assert wish(slurm_options="--partition=gpu '--comment=two words'").options == words


def test_times_are_as_slurm_and_seconds_as_people_write_them(wish):
    asked = wish(slurm_time="00:30:00", slurm_wait="90")
    assert (asked.time, asked.wait_s) == ("00:30:00", 90.0)
    assert wish(slurm_time=5).time == "5"


@pytest.mark.parametrize(
    "variables",
    [
        {"slurm_with": "qsub"},
        {"slurm_wait": "soon"},
        {"slurm_wait": 0},
        {"slurm_wait": float("nan")},
        {"slurm_options": 7},
        {"slurm_options": "--comment='open"},
        {"slurm_options": ["--comment=a\nb"]},
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_place_of_the_host(wish, variables):
    with pytest.raises(InputError) as caught:
        wish(**variables)
    assert caught.value.diagnostic.where is not None
    assert caught.value.diagnostic.hint
