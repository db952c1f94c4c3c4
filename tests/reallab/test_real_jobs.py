"""A job on the node behind the jump goes on without us, and is followed there over OpenSSH."""

from __future__ import annotations

import json

from newcomer import Newcomer

_PLAY = """\
- hosts: gpu2
  gather_facts: false
  tasks:
    - name: train
      shell: for epoch in 1 2 3; do echo epoch $epoch; sleep 1; done; hostname; exit 7
      async: 60
      poll: 0
"""


def test_a_job_of_gpu2_is_listed_once_and_followed_to_its_end(lab, provision, tmp_path):
    """Both nodes see its files, since they share the home; only gpu2 can tell that it runs."""
    begun = provision(lab, "apply", _PLAY)
    assert begun.code == 0, begun.stdout + begun.stderr
    person = Newcomer(tmp_path / "home", lab.directory, tmp_path)
    followed = person.run("attach", "-i", lab.inventory)
    assert (followed.code, followed.stdout) == (7, "epoch 1\nepoch 2\nepoch 3\ngpu2\n"), followed.stderr
    listed = person.run("attach", "--list", "--json", "-i", lab.inventory)
    (job,) = [job for job in map(json.loads, listed.stdout.splitlines()) if job["title"] == "train"]
    assert (job["node"], job["state"], job["status"]) == ("gpu2", "done", 7)
