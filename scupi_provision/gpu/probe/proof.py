"""From looking at the GPUs to a tested one: what is chosen, what is tried next, and what the findings are."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from . import together
from .causes import Finding, Seen, disagreement, explain
from .choice import NEEDED_MIB, Candidate, candidates
from .counting import Counts, compared
from .inventory import take_inventory, usage
from .listing import Inventory
from .processes import Processes

COUNTS_AGREE = "NVML and CUDA count the same GPUs"
_COUNT_LIMIT_S = 30.0
_BETWEEN_LOOKS_S = 0.5
_SUMMARY = (
    "torch",
    "build",
    "device",
    "device_name",
    "agreement",
    "problem",
    "stand_in",
    "served",
    "seconds",
    "gflops",
)
"""What of the tested device stands at the top of the report, where checks find it."""


class Proof:
    """One run: looks at everything once, then tests."""

    def __init__(self, processes: Processes, options: argparse.Namespace) -> None:
        self._processes = processes
        self._options = options
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        self._job = os.environ.get("SLURM_JOB_ID")
        self._findings: list[Finding] = []
        self._inventory = Inventory()
        self._counts = Counts()

    def report(self) -> dict[str, Any]:
        """Everything after the heading of the report."""
        self._look()
        choice = self._candidates()
        found: dict[str, Any] = dict.fromkeys(_SUMMARY)
        found.update(self._seen(choice))
        if self._options.explain is not None:
            self._explain(self._options.explain)
        elif not self._options.inventory:
            tests = self._tests(choice)
            found.update({name: tests[-1].get(name) for name in _SUMMARY}, tests=tests)
            if self._options.all_reduce:
                found["all_reduce"] = self._all_reduce(choice, tests)
                found["problem"] = found["problem"] or found["all_reduce"]["problem"]
        found["findings"] = [asdict(finding) for finding in dict.fromkeys(self._findings)]
        return found

    # --- looking --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        if not (shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists()):
            return
        everything = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
        counting = self._processes.start_part("count", everything, _COUNT_LIMIT_S)
        self._inventory = take_inventory(self._processes)
        counted = self._processes.wait(counting)
        mig = any(gpu.mig for gpu in self._inventory.gpus)
        self._counts = compared(counted.result.get("nvml", {}), counted.result.get("cuda", {}), mig=mig)
        if not counted.result:
            self._counts = Counts(problem=f"the driver does not answer: {counted.problem}")
        # What an old nvidia-smi cannot tell, CUDA can.
        known = self._counts.capabilities
        gpus = [replace(gpu, compute_cap=gpu.compute_cap or known.get(gpu.uuid, "")) for gpu in self._inventory.gpus]
        self._inventory = replace(self._inventory, gpus=tuple(gpus))
        self._findings += disagreement(self._evidence())
        for text in (self._counts.problem, self._inventory.said):
            self._explain(text)

    def _evidence(self, torch_count: int | None = None) -> Seen:
        mig = any(gpu.mig for gpu in self._inventory.gpus)
        return Seen(self._counts, self._visible, mig=mig, torch_count=torch_count)

    def _explain(self, text: str, torch_count: int | None = None) -> Finding | None:
        finding = explain(text, self._evidence(torch_count)) if text else None
        if finding:
            self._findings.append(finding)
        return finding

    def _candidates(self) -> list[Candidate]:
        if not self._inventory.gpus:
            return []
        time.sleep(_BETWEEN_LOOKS_S)
        return candidates(self._inventory.gpus, usage(self._processes), self._counts.dead)

    def _seen(self, choice: Sequence[Candidate]) -> dict[str, Any]:
        by = "the probe"
        if self._visible is not None:
            by = f"CUDA_VISIBLE_DEVICES={self._visible}"
        elif self._job:
            by = f"Slurm, for job {self._job}"
        counts = self._counts
        foretold = [finding for finding in disagreement(self._evidence()) if finding.cause == "B"]
        agree = None if counts.nvml is None or counts.cuda is None else not foretold
        return {
            "driver": {
                "version": self._inventory.gpus[0].driver if self._inventory.gpus else "",
                "cuda": counts.cuda_version,
                "nvml_count": counts.nvml,
                "cuda_count": counts.cuda,
                "problem": counts.problem or None,
            },
            "counts": COUNTS_AGREE if agree else foretold[0].what if foretold else None,
            "chosen_by": by,
            "gpus": [asdict(gpu) for gpu in self._inventory.gpus],
            "candidates": [asdict(one) for one in choice],
        }

    # --- testing --------------------------------------------------------------------------------------------------

    def _targets(self, choice: Sequence[Candidate]) -> list[Candidate | None]:
        """What is tested, in this order; None is the environment as it is: somebody's choice, or a node without GPU."""
        if self._visible is not None and self._options.all:
            return [Candidate(name.strip(), name.strip(), 0) for name in self._visible.split(",")]
        if self._visible is not None or self._job or not choice:
            return [None]
        free = [one for one in choice if not one.obstacle]
        if self._options.all and free:
            return list(free)
        shared = [one for one in choice if one.obstacle and one.usable and one.free_mib >= NEEDED_MIB]
        return [*free, *(shared if self._options.share or not self._options.bench else [])]

    def _tests(self, choice: Sequence[Candidate]) -> list[dict[str, Any]]:
        targets = self._targets(choice)
        if not targets:
            why = "; ".join(f"{one.uuid}: {one.obstacle}" for one in choice)
            return [{"problem": f"no GPU is free: {why}"}]
        tests: list[dict[str, Any]] = []
        for number, target in enumerate(targets):
            is_last = number == len(targets) - 1
            tests.append(self._test(target, self._processes.left_s / (1 if is_last else 2)))
            finding = self._judge(tests[-1])
            if not self._options.all and not (finding and finding.tries_next):
                break
        # The last one stands for all: where every GPU was asked for, one that fails.
        return sorted(tests, key=lambda test: bool(test["problem"])) if self._options.all else tests

    def _test(self, target: Candidate | None, limit_s: float) -> dict[str, Any]:
        environment: dict[str, str] = dict(os.environ)
        if target is not None:
            environment.update(CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=target.uuid)
        options = ["--size", str(self._options.size)]
        if self._options.allow_cpu is not None:
            options += ["--allow-cpu", self._options.allow_cpu]
        options += ["--bench"] if self._options.bench else []
        ended = self._processes.wait(self._processes.start_part("device", environment, limit_s, *options))
        found: dict[str, Any] = {"shares": target.obstacle if target else "", "problem": None, **ended.result}
        if ended.problem:
            found["problem"] = f"torch does not come back: {ended.problem}"
            found["error"] = ended.said
        return found

    def _judge(self, test: Mapping[str, Any]) -> Finding | None:
        if not test["problem"]:
            return None
        return self._explain(f"{test['problem']}\n{test.get('error', '')}", test.get("torch_count"))

    def _all_reduce(self, choice: Sequence[Candidate], tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        failed = {test.get("visible") for test in tests if test["problem"]}
        free = [one.uuid for one in choice if not one.obstacle and one.uuid.startswith("GPU-")]
        if self._visible is not None:
            free = [name.strip() for name in self._visible.split(",") if name.strip()]
        elif self._job:
            free = []  # a job that was given GPUs sees them named; the others here are somebody else's
        free = [name for name in free if name not in failed]
        if len(free) < 2 and (choice or free):
            return {"skipped": "it takes two free GPUs", "problem": None}
        found = together.all_reduce(self._processes, free, self._processes.left_s)
        if found["problem"]:
            self._explain(found["problem"])
        return found
