"""The proof of a verification: kept on the host, and valid as long as nothing that it rests on has changed.

So a converged apply starts no program on any host (decision 0003). The first change of a later apply takes the proof
away before it happens (`Compiler.program`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from scupi_provision.host.generation import CURRENT, ROOT
from scupi_provision.host.snapshot import Snapshot
from scupi_provision.host.view import HostView
from scupi_provision.plan.models import Plan
from scupi_provision.run.fleet import Link

_MACHINE_FACTS = ("nodename", "kernel", "architecture", "libc", "nvidia_driver_text", "nvidia_header")
"""Facts of a node on which what was seen there depends, and each of its GPUs (`gpu_0`, …); another node, another driver
or a GPU less needs another look."""


@dataclass(frozen=True)
class Proof:
    """That all checks passed. `digest` stands for the checks and everything they rest on; `when` is ISO 8601, UTC."""

    digest: str
    checks: int
    when: str


class ProofKeeper:
    """Reads and writes the proof of one play's checks on one verify host."""

    def __init__(self, link: Link, play_name: str) -> None:
        self._link = link
        key = hashlib.sha256(f"{link.host.base}\0{play_name}".encode()).hexdigest()[:12]
        self._path = f"{ROOT}/verified/{link.host.base}-{key}.json"

    def stands(self, plan: Plan) -> Proof | None:
        """The proof on the host, if it is for exactly this plan of checks on the host as it is."""
        view = HostView(self._link.snapshot)
        content = self._link.seeing(lambda: view.content(self._path))
        try:
            proof = Proof(**json.loads(content))
        except (ValueError, TypeError):
            return None
        return proof if proof.digest == self.digest(plan) else None

    def write(self, plan: Plan, checks: int) -> None:
        """Note that all checks of `plan` have passed just now."""
        proof = Proof(self.digest(plan), checks, datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self._link.snapshot = Snapshot(self._link.snapshot.facts)
        view = HostView(self._link.snapshot)

        def put() -> None:
            view.begin("proof")
            view.mkdir(f"{ROOT}/verified", 0o700)
            view.write(self._path, json.dumps(asdict(proof)).encode() + b"\n", 0o600)

        self._link.seeing(put)
        self._link.perform(view.commit().actions, keeps_proof=True)

    def digest(self, plan: Plan) -> str:
        """What the checks are and what they rest on, as one hash."""
        view = HostView(self._link.snapshot)
        current = self._link.seeing(lambda: view.entry(CURRENT))
        facts = self._link.snapshot.facts
        raw = facts.raw if facts else {}
        machine = {name: raw[name] for name in raw if name in _MACHINE_FACTS or name.startswith("gpu_")}
        checks = [[str(step.label), step.message, repr(step.args), *map(repr, step.actions)] for step in plan.steps]
        text = json.dumps([checks, machine, current.target], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
