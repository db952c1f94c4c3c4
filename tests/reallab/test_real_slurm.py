"""A gpu2 that is entered only with a job: real slurmctld, slurmd and munge, and pam_slurm_adopt in gpu2's sshd."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import time

import pytest
import yaml
from entrance import Entrance, output_of
from newcomer import Newcomer, ended, lines_until
from scupi_provision.errors import AuthenticationError, UnreachableError
from scupi_provision.transport.base import JobWish

_PATIENCE_S = 10.0
_PLAY = """
- hosts: admin1
  verify: gpu2
  tasks:
    - copy: {dest: ~/made-on, content: "{{ ansible_facts.hostname }}"}
  verify_tasks:
    - expect: {command: hostname, stdout: gpu2}
    - expect: {command: printenv SLURM_JOB_ID, rc: 0}
    - expect: {command: printenv CUDA_VISIBLE_DEVICES, stdout: "0"}
    - expect: {path: ~/made-on}
"""


@pytest.fixture(scope="module")
def slurm(start):
    """A lab with Slurm whose admin1 forwards."""
    return start(slurm=True)


@pytest.fixture(scope="module")
def entrance(slurm):
    return Entrance(slurm)


@pytest.fixture
def queue(slurm, said):
    """`queue()`: the jobs that are still in the queue after some time, one line each."""

    def jobs():
        deadline = time.monotonic() + _PATIENCE_S
        while (lines := said(slurm, "admin1", "squeue -h -o '%j %T'").splitlines()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return lines

    return jobs


@pytest.fixture
def person(slurm, tmp_path):
    """Somebody whose inventory asks for the lab's GPU."""
    inventory = yaml.safe_load(slurm.inventory.read_text())
    wish = {"slurm_options": ["--gres=gpu:1"], "slurm_time": 5, "provision_reach": "slurm"}
    inventory["all"]["hosts"]["gpu2"] |= wish
    (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(inventory))
    return Newcomer(tmp_path, slurm.directory, tmp_path)


def _site(tmp_path, text):
    (tmp_path / "site.yaml").write_text(text)
    return "site.yaml"


def _occupied(slurm, said):
    """Take both of gpu2's processors for a job; returns how to end it. Logins are let in meanwhile, as they are its."""
    said(slurm, "admin1", "sbatch --parsable --cpus-per-task=2 --job-name=other --output=/dev/null --wrap 'sleep 300'")
    deadline = time.monotonic() + 20
    while "other RUNNING" not in said(slurm, "admin1", "squeue -h -o '%j %T'") and time.monotonic() < deadline:
        time.sleep(0.2)
    return lambda: said(slurm, "admin1", "scancel --name=other")


def test_slurm_runs_inside_the_nodes_with_the_rights_that_each_part_needs(slurm, said):
    for_admin = said(slurm, "admin1", "ps -A -o user:12=,comm=").split("\n")
    for_gpu = said(slurm, "admin1", "srun -t 1 ps -A -o user:12=,comm=").split("\n")
    assert {"munge        munged", "slurm        slurmctld"} <= set(for_admin)
    assert {"munge        munged", "root         slurmd"} <= set(for_gpu)
    assert not [line for line in for_admin if line.endswith(" slurmd")]


def test_a_login_without_a_job_is_refused_by_slurms_own_module_and_that_is_recognised(entrance):
    refused = entrance.refusal(AuthenticationError, reach="jump")
    assert refused.summary == "gpu2 lets in only those who have a Slurm job there"
    assert "Access denied by pam_slurm_adopt: you have no active jobs on this node" in refused.detail
    assert "provision_reach: slurm" in refused.hint
    assert entrance.refusal(AuthenticationError, reach="nested").summary == refused.summary


def test_a_playbook_is_applied_on_admin1_and_verified_through_one_job_which_is_gone_afterwards(person, tmp_path, queue):
    applied = person.run("apply", _site(tmp_path, _PLAY), "--json")
    assert applied.code == 0, applied.stdout + applied.stderr
    assert [event["passed"] for event in applied.of("CheckFinished")] == [True] * 4
    assert queue() == []
    (first,) = re.findall(r"this run has job (\d+) there, asked for on admin1", applied.stdout)
    verified = person.run("verify", "site.yaml", "--json")
    assert verified.code == 0, verified.stdout
    (second,) = re.findall(r"this run has job (\d+) there", verified.stdout)
    assert int(second) == int(first) + 1
    assert queue() == []


def test_the_gpu_node_itself_can_be_changed_through_a_job(person, tmp_path, slurm, queue):
    play = "- hosts: gpu2\n  tasks:\n    - copy: {dest: ~/by-a-job, content: \"{{ 'y' * 200000 }}\"}\n"
    assert person.run("apply", _site(tmp_path, play), "--json").code == 0
    assert person.run("apply", "site.yaml", "--json").changes() == []
    assert (slurm.home / "by-a-job").stat().st_size == 200000
    assert queue() == []


def test_shells_are_steps_of_one_job_and_bytes_are_bytes(entrance, queue):
    transport = entrance.open()
    assert transport.way == "slurm"
    numbers = {output_of(transport, "echo $SLURM_JOB_ID") for _ in range(2)}
    assert len(numbers) == 1
    big = os.urandom(1024) * 1024
    channel = transport.open_shell(f"head -c {len(big)} | sha256sum; head -c {len(big)} /dev/zero; echo; echo end")
    channel.send(big)
    output = b""
    while data := channel.receive(10):
        output += data
    assert output.startswith(hashlib.sha256(big).hexdigest().encode())
    assert output.endswith(b"\0" * len(big) + b"\nend\n")
    transport.close()
    assert queue() == []


def test_two_shells_at_a_time_share_the_job_with_its_gpu(entrance):
    transport = entrance.open(job=JobWish(("--gres=gpu:1",)))
    first = transport.open_shell("echo $CUDA_VISIBLE_DEVICES; cat")
    assert first.receive(10) == b"0\n"
    assert output_of(transport, "echo $CUDA_VISIBLE_DEVICES") == "0\n"
    first.close()
    transport.close()


def test_what_the_login_sets_on_admin1_is_what_programs_on_gpu2_see(entrance, slurm, said):
    transport = entrance.open()
    path = output_of(transport, "echo $PATH")
    transport.close()
    assert path == said(slurm, "admin1", "echo $PATH")


def test_a_run_that_is_killed_gives_its_job_back_and_leaves_nothing_at_work(person, tmp_path, slurm, said, queue):
    site = _site(tmp_path, "- hosts: gpu2\n  tasks:\n    - command: sleep 4321\n")
    running = person.start("apply", site, "--json")
    lines_until(running, lambda event: event["event"] == "TaskStarted")
    assert said(slurm, "admin1", "squeue -h -o %T") == "RUNNING\n"
    os.kill(running.pid, signal.SIGKILL)
    ended(running)
    assert queue() == []
    assert "sleep 4321" not in said(slurm, "admin1", "srun -t 1 ps -A -o args")


def test_a_job_can_be_asked_for_by_sbatch(entrance, queue):
    transport = entrance.open(reach="slurm", job=JobWish(("--gres=gpu:1",), starter="sbatch"))
    assert output_of(transport, "hostname; echo $CUDA_VISIBLE_DEVICES") == "gpu2\n0\n"
    transport.close()
    assert queue() == []


def test_a_job_that_waits_in_a_batch_queue_is_taken_out_of_it(entrance, slurm, said):
    release = _occupied(slurm, said)
    try:
        refused = entrance.refusal(reach="slurm", job=JobWish(wait_s=4, starter="sbatch"))
        assert "squeue says of it: PENDING" in refused.detail
        time.sleep(1)
        assert said(slurm, "admin1", "squeue -h -o %j") == "other\n"
    finally:
        release()


def test_what_sbatch_refuses_is_passed_on(entrance):
    refused = entrance.refusal(reach="slurm", job=JobWish(("--partition=nowhere",), starter="sbatch"))
    assert "invalid partition" in refused.detail.lower()


def test_waiting_is_told_and_has_a_limit_that_says_what_is_waited_for(entrance, slurm, said):
    release = _occupied(slurm, said)
    told = []
    try:
        refused = entrance.refusal(reach="slurm", job=JobWish(wait_s=5), tell=told.append)
        assert refused.summary == "No Slurm job on gpu2 within 5 s"
        assert "squeue says of it: PENDING, reason Resources" in refused.detail
        assert re.fullmatch(r"waiting for a job on gpu2: \d s, reason Resources", told[0])
        time.sleep(1)
        assert said(slurm, "admin1", "squeue -h -o %j") == "other\n"
    finally:
        release()


def test_somebody_who_has_a_job_there_already_is_let_in_as_by_any_ssh(entrance, slurm, said):
    """pam_slurm_adopt then counts the login among that job's processes."""
    release = _occupied(slurm, said)
    try:
        transport = entrance.open()
        assert transport.way == "jump"
        transport.close()
    finally:
        release()


def test_ctrl_c_while_the_job_waits_takes_it_out_of_the_queue(person, tmp_path, slurm, said):
    release = _occupied(slurm, said)
    try:
        running = person.start("apply", _site(tmp_path, "- hosts: gpu2\n  tasks:\n    - command: 'true'\n"), "--json")
        lines_until(running, lambda event: "waiting for a job on gpu2" in event.get("text", ""))
        running.send_signal(signal.SIGINT)
        begin = time.monotonic()
        assert ended(running).code == 130
        assert time.monotonic() - begin < 6
        time.sleep(1)
        assert said(slurm, "admin1", "squeue -h -o %j") == "other\n"
    finally:
        release()


def test_what_slurm_says_of_a_bad_wish_is_passed_on(entrance):
    refused = entrance.refusal(job=JobWish(("--partition=nowhere",)))
    assert refused.summary == "Slurm gives no job on gpu2"
    assert "invalid partition" in refused.detail.lower()
    assert "slurm_options" in refused.hint


def test_a_job_that_ends_under_a_shell_is_told_as_that(entrance, slurm, said):
    transport = entrance.open()
    channel = transport.open_shell("echo $SLURM_JOB_ID; sleep 60")
    job = channel.receive(10).decode().strip()
    said(slurm, "admin1", f"scancel {job}")
    with pytest.raises(UnreachableError, match="The Slurm job on gpu2 has ended before we had"):
        channel.receive(45)
    transport.close()


def test_both_refusals_together_lead_to_a_job_too(start):
    """admin1 forwards nothing, and gpu2 wants a job: the refusal is seen in what ssh on admin1 prints."""
    lab = start(slurm=True, forwarding=False)
    transport = Entrance(lab).open()
    assert transport.way == "slurm"
    assert output_of(transport, "hostname") == "gpu2\n"
    transport.close()
