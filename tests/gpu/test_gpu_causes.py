"""What is behind an error text, and which GPUs a build of torch serves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.gpu.probe.causes import Seen, explain
from scupi_provision.gpu.probe.counting import Counts, compared
from scupi_provision.gpu.probe.device import served_by

ASSERTION = (
    "RuntimeError: device >= 0 && device < num_gpus INTERNAL ASSERT FAILED at "
    '"../aten/src/ATen/cuda/CUDAContext.cpp":50, please report a bug to PyTorch. device=1, num_gpus=1'
)
ALIKE, UNLIKE = Counts(nvml=4, cuda=4), Counts(nvml=4, cuda=3, dead=("GPU-1",))


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (Seen(ALIKE), "A"),
        (Seen(Counts()), "A"),
        (Seen(UNLIKE), "B"),
        (Seen(Counts(nvml=2, cuda=1), mig=True), "C"),
        (Seen(Counts(nvml=1, cuda=1), visible="MIG-1", mig=True, torch_count=0), "D"),
    ],
)
def test_the_four_causes_of_the_assertion(seen, cause):
    """The same text, told apart by what the machine is."""
    found = explain(ASSERTION, seen)
    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("The NVIDIA driver on your system is too old (found version 11060). Please update", "old driver"),
        ("CUDA error: no kernel image is available for execution on the device", "architecture"),
        ("CUDA error: all CUDA-capable devices are busy or unavailable", "busy"),
        ("CUDA out of memory. Tried to allocate 20.00 MiB", "memory"),
        ("AssertionError: Torch not compiled with CUDA enabled", "cpu build"),
        ("Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU", "no driver"),
        ("NVML: Driver/library version mismatch (18)", "driver update"),
        ("Error 802: system not yet initialized", "fabric"),
        ("Error 804: forward compatibility was attempted on non supported HW", "compatibility library"),
        ("RuntimeError: No CUDA GPUs are available", "none visible"),
        ("CUDA error: invalid device ordinal", "number"),
        ("ImportError: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by libtorch.so)", "C library"),
        ("CUDA unknown error - this may be due to an incorrectly set up environment", "unknown"),
        ("torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1333", "nccl"),
        ("ModuleNotFoundError: No module named 'torch'", None),
    ],
)
def test_known_texts_have_a_cause(text, cause):
    found = explain(text, Seen(ALIKE))
    assert (found and found.cause) == cause


def test_the_version_in_the_text_is_made_readable():
    found = explain("The NVIDIA driver on your system is too old (found version 12080).", Seen(ALIKE))
    assert found is not None
    assert "CUDA 12.8" in found.what


def test_slices_are_no_dead_gpus():
    """CUDA lists a slice by a UUID of its own, so the GPU around it is missing in its list and well."""
    nvml, cuda = {"count": 1, "uuids": ["GPU-1"]}, {"count": 1, "devices": {"GPU-2": "8.0"}}
    assert compared(nvml, cuda, mig=True).dead == ()
    assert compared(nvml, cuda, mig=False).dead == ("GPU-1",)


@pytest.mark.parametrize(
    ("archs", "capability", "served"),
    [
        ("sm_70 sm_80 sm_86", (8, 9), "sm_86"),
        ("sm_60 sm_70", (6, 1), "sm_60"),
        ("sm_70 sm_75", (7, 2), "sm_70"),
        ("sm_75 sm_80", (7, 0), ""),
        ("sm_80 sm_90", (10, 0), ""),
        ("sm_90 compute_90", (12, 0), "compute_90"),
        ("sm_90a", (9, 0), "sm_90a"),
        ("sm_100a compute_120", (10, 3), ""),
        ("sm_100 sm_120", (10, 3), "sm_100"),
        ("gfx90a", (9, 0), ""),
    ],
)
def test_which_code_runs_where(archs, capability, served):
    """Binary code within a major version, from its minor on; PTX on everything later."""
    assert served_by(archs.split(), capability) == served


capabilities = st.tuples(st.integers(3, 12), st.integers(0, 9))


@given(st.lists(capabilities, min_size=1), capabilities)
@settings(deadline=None)
def test_binary_code_never_crosses_a_major_version(built, capability):
    entry = served_by([f"sm_{major}{minor}" for major, minor in built], capability)
    fitting = [one for one in built if one[0] == capability[0] and one[1] <= capability[1]]
    assert bool(entry) == bool(fitting)
