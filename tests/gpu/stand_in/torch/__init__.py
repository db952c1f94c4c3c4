# ruff: noqa: B905 - for Python 3.7, as the probe is
"""A stand-in for torch, for tests of the probe on machines without a GPU: it multiplies small matrices in plain Python.

STAND_IN_TORCH is JSON: `version`, `cuda` (null for the CPU build), `arch`, and `gpus`, which tells by UUID how one
behaves (an error's text, "hangs", "crashes", "miscomputes"). The devices are those of CUDA_VISIBLE_DEVICES.
"""

import json
import os
import random
import signal
import time
from types import SimpleNamespace

_SAYS = json.loads(os.environ.get("STAND_IN_TORCH", "{}"))
_GPUS = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]

__version__ = _SAYS.get("version", "2.6.0+cu118")
version = SimpleNamespace(cuda=_SAYS.get("cuda", "11.8"))
float32 = bfloat16 = float16 = None


def _behave():
    how = _SAYS.get("gpus", {}).get(_GPUS[0], "")
    if how == "hangs":
        while True:
            time.sleep(60)
    if how == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how and how != "miscomputes":
        raise RuntimeError(how)
    return how


class Tensor:
    def __init__(self, rows):
        self.rows = rows

    def _each(self, other, work):
        others = other.rows if isinstance(other, Tensor) else [[other] * len(row) for row in self.rows]
        return Tensor([[work(a, b) for a, b in zip(*pair)] for pair in zip(self.rows, others)])

    def __mul__(self, other):
        return self._each(other, lambda a, b: a * b)

    def __sub__(self, other):
        return self._each(other, lambda a, b: a - b)

    def __matmul__(self, other):
        columns = list(zip(*other.rows))
        return Tensor([[sum(a * b for a, b in zip(row, column)) for column in columns] for row in self.rows])

    def __getitem__(self, key):
        if isinstance(key, tuple) and isinstance(key[0], slice):
            return SimpleNamespace(tolist=lambda: [row[key[1]] for row in self.rows])
        if isinstance(key, tuple):
            return SimpleNamespace(item=lambda: self.rows[key[0]][key[1]])
        return SimpleNamespace(tolist=lambda: self.rows[key])

    def to(self, device):
        return self

    def double(self):
        return self

    cpu = double

    def abs(self):
        return self._each(0, lambda a, b: abs(a))

    def max(self):
        return SimpleNamespace(item=lambda: max(map(max, self.rows)))

    def copy_(self, other):
        self.rows = other.rows


class Generator:
    def manual_seed(self, seed):
        return random.Random(seed)


def rand(height, width, generator):
    return Tensor([[generator.random() for _ in range(width)] for _ in range(height)])


def randn(height, width, device=None, dtype=None):
    return Tensor([[1.0]])


def ones(*shape, dtype=None, device=None):
    return Tensor([[1.0]])


empty_like = ones


def mm(left, right):
    product = left @ right
    return product * 2 if _GPUS and _behave() else product


class _Event:
    def record(self):
        self.at = time.perf_counter()

    def elapsed_time(self, other):
        return (other.at - self.at) * 1e3 + 100


backends = SimpleNamespace(cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)))
cuda = SimpleNamespace(
    device_count=lambda: _SAYS.get("count", len(_GPUS)),
    is_available=lambda: bool(version.cuda and _GPUS),
    init=lambda: _behave() if _GPUS else None,
    get_device_properties=lambda number: SimpleNamespace(name="Stand-in A100", major=8, minor=0, total_memory=40 << 30),
    get_arch_list=lambda: _SAYS.get("arch", ["sm_70", "sm_80", "sm_90"]),
    synchronize=lambda: None,
    Event=lambda enable_timing: _Event(),
)
