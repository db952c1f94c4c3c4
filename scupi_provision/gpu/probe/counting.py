"""How many GPUs the driver manages (NVML) and how many CUDA can open, asked of the driver's own libraries.

torch counts by the one and opens by the other: where they differ, `device >= 0 && device < num_gpus INTERNAL ASSERT
FAILED` is on its way. No context is made on any GPU. Functions, numbers and sizes: NVIDIA's nvml.h and cuda.h.
"""

from __future__ import annotations

import ctypes
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

_NVML_NO_PERMISSION = 4
"""Somebody else's GPU: the batch system gave this job others."""
_UUID_SIZE = 96
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76


@dataclass(frozen=True)
class Counts:
    """What the two libraries say.

    Attributes:
        nvml: GPUs that the driver manages and this account may use, working or not; None when NVML does not answer.
        cuda: Devices that CUDA can open; None when it does not answer.
        cuda_version: The CUDA version that the driver's library supports, such as "12.2"; "" when it does not say.
        lost: NVML's numbers of GPUs that it lists and cannot reach.
        dead: UUIDs that NVML lists and CUDA does not.
        capabilities: UUID to compute capability, of those that CUDA lists.
        problem: What the first library that did not answer says, or "".
    """

    nvml: int | None = None
    cuda: int | None = None
    cuda_version: str = ""
    lost: tuple[int, ...] = ()
    dead: tuple[str, ...] = ()
    capabilities: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


class _LibraryError(Exception):
    """A library is not there, or one of its functions failed."""


def ask_nvml() -> dict[str, Any]:
    """`count`, `uuids`, `lost`, or `problem`."""
    try:
        nvml = _load("libnvidia-ml.so.1")
        nvml.nvmlErrorString.restype = ctypes.c_char_p
        _check(nvml.nvmlInit_v2(), nvml.nvmlErrorString, "NVML")
        return _nvml_devices(nvml)
    except _LibraryError as error:
        return {"problem": str(error)}


def ask_cuda() -> dict[str, Any]:
    """`version`, `count`, `devices` (UUID to compute capability), or `problem`."""
    found: dict[str, Any] = {}
    try:
        cuda = _load("libcuda.so.1")
        version, count = ctypes.c_int(), ctypes.c_int()
        if cuda.cuDriverGetVersion(ctypes.byref(version)) == 0:  # the only function that answers before cuInit
            found["version"] = f"{version.value // 1000}.{version.value % 1000 // 10}"
        _check(cuda.cuInit(0), partial(_cuda_words, cuda), "cuInit")
        _check(cuda.cuDeviceGetCount(ctypes.byref(count)), partial(_cuda_words, cuda), "cuDeviceGetCount")
        found.update(count=count.value, devices=dict(_cuda_device(cuda, number) for number in range(count.value)))
    except _LibraryError as error:
        found["problem"] = str(error)
    return found


def compared(nvml: Mapping[str, Any], cuda: Mapping[str, Any], *, mig: bool) -> Counts:
    """The two answers side by side. With `mig`, slices have UUIDs of their own: a GPU that CUDA lacks may be well."""
    devices: dict[str, str] = cuda.get("devices", {})
    missing = [name for name in nvml.get("uuids", ()) if name not in devices]
    return Counts(
        nvml.get("count"),
        cuda.get("count"),
        cuda.get("version", ""),
        tuple(nvml.get("lost", ())),
        tuple(missing) if devices and not mig else (),
        devices,
        nvml.get("problem") or cuda.get("problem") or "",
    )


def _load(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise _LibraryError(str(error)) from error


def _check(code: int, words: Any, what: str) -> None:
    if code != 0:
        text = words(code)
        raise _LibraryError(f"{what}: {text.decode('utf-8', 'replace') if text else 'error'} ({code})")


def _nvml_devices(nvml: ctypes.CDLL) -> dict[str, Any]:
    count = ctypes.c_uint()
    _check(nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)), nvml.nvmlErrorString, "NVML")
    uuids: list[str] = []
    lost: list[int] = []
    for number in range(count.value):
        handle, text = ctypes.c_void_p(), ctypes.create_string_buffer(_UUID_SIZE)
        code = nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle))
        if code == 0 and nvml.nvmlDeviceGetUUID(handle, text, _UUID_SIZE) == 0:
            uuids.append(text.value.decode("ascii", "replace"))
        elif code != _NVML_NO_PERMISSION:
            lost.append(number)
    return {"count": len(uuids) + len(lost), "uuids": uuids, "lost": lost}


def _cuda_device(cuda: ctypes.CDLL, number: int) -> tuple[str, str]:
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    raw = (ctypes.c_ubyte * 16)()
    cuda.cuDeviceGet(ctypes.byref(device), number)
    # The later form tells the UUID of a slice where there is one; the other gives that of the GPU around it.
    is_later = hasattr(cuda, "cuDeviceGetUuid_v2")
    (cuda.cuDeviceGetUuid_v2 if is_later else cuda.cuDeviceGetUuid)(ctypes.byref(raw), device)
    cuda.cuDeviceGetAttribute(ctypes.byref(major), _CAPABILITY_MAJOR, device)
    cuda.cuDeviceGetAttribute(ctypes.byref(minor), _CAPABILITY_MINOR, device)
    return f"GPU-{uuid.UUID(bytes=bytes(raw))}", f"{major.value}.{minor.value}"


def _cuda_words(cuda: ctypes.CDLL, code: int) -> bytes:
    text = ctypes.c_char_p()
    cuda.cuGetErrorString(code, ctypes.byref(text))
    return text.value or b""
