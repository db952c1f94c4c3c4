"""Who is on which GPU, and what the probe found, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scupi_provision.gpu.node import GpuNode
from scupi_provision.gpu.probe.choice import Candidate
from scupi_provision.gpu.probe.listing import Gpu, Process
from scupi_provision.report import style
from scupi_provision.report.visible import visible, visible_lines

_TOLD = ("torch", "build", "device_name", "capability", "agreement")


def print_node(node: GpuNode, console: Console) -> None:
    """One host: its GPUs with those who use them, which one `gpu-python` would take, and the proof if there was one."""
    heading = Text(visible(node.host), style=style.HEADING)
    if not node.inventory.gpus:
        driver = f", although it has the NVIDIA driver {visible(node.driver)}" if node.driver else ""
        console.print(heading.append(f"   no GPU{driver}", style="not bold"), soft_wrap=True)
    else:
        cuda = f", CUDA {visible(node.cuda)}" if node.cuda else ""
        console.print(
            heading.append(f"   NVIDIA driver {visible(node.driver)}{cuda}", style="not bold"), soft_wrap=True
        )
        console.print(_table(node))
        console.print(_choice(node), soft_wrap=True)
    for line in visible_lines(node.inventory.said):
        console.print(Text(f"  nvidia-smi says: {line}", style=style.WARNING), soft_wrap=True)
    if node.report is not None:
        _print_report(node.report, console)


def _table(node: GpuNode) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=style.QUIET)
    for name in ("  GPU", "name", "memory used", "busy", "used by"):
        table.add_column(name, justify="right" if name in {"memory used", "busy"} else "left", overflow="fold")
    by_uuid = {one.uuid: one for one in node.choice}
    for gpu in node.inventory.gpus:
        memory, busy = (
            _memory(gpu.used_mib, gpu.memory_mib),
            "?" if gpu.busy_percent is None else f"{gpu.busy_percent} %",
        )
        table.add_row(f"  {gpu.index}", Text(visible(gpu.name)), memory, busy, _users(gpu, by_uuid[gpu.uuid]))
        for part in gpu.slices:
            users = _programs(part.processes) or _state(by_uuid[part.uuid])
            table.add_row(
                "", Text(f"  slice {visible(part.profile)}"), _memory(part.used_mib, part.memory_mib), "", users
            )
    return table


def _memory(used: int | None, total: int | None) -> str:
    return "?" if total is None else f"{'?' if used is None else used} of {total} MiB"


def _users(gpu: Gpu, candidate: Candidate) -> Text:
    return _programs(gpu.processes) or _state(candidate)


def _programs(processes: Sequence[Process]) -> Text:
    lines = []
    for one in processes:
        memory = "" if one.memory_mib is None else f", {one.memory_mib} MiB"
        owner = visible(one.user) or "(owner hidden)"
        lines.append(f"{owner}: {visible(one.program)} (process {one.pid}{memory})")
    return Text("\n".join(lines))


def _state(candidate: Candidate) -> Text:
    if not candidate.obstacle:
        return Text("nobody: free", style=style.GOOD)
    return Text(visible(candidate.obstacle), style=style.QUIET)


def _choice(node: GpuNode) -> Text:
    chosen = node.chosen
    if chosen is None:
        return Text("  gpu-python finds none that it could take", style=style.WARNING)
    why = f"free, with {chosen.free_mib} MiB"
    if chosen.obstacle:
        why = f"none is free, and this one has the most memory left ({chosen.free_mib} MiB)"
    return Text(f"  gpu-python would take {visible(chosen.uuid)}: {why}")


def _print_report(report: Mapping[str, Any], console: Console) -> None:
    if report.get("stand_in"):
        console.print(Text(f"  stand-in: {visible(str(report['stand_in']))}", style="yellow"), soft_wrap=True)
    for test in report.get("tests", ()):
        _print_test(test, console)
    together = report.get("all_reduce")
    if together:
        console.print(_together(together), soft_wrap=True)
    for finding in report.get("findings", ()):
        console.print(Text(f"  {visible(finding['what'])}", style=style.WARNING), soft_wrap=True)
        console.print(Text(f"    try: {visible(finding['fix'])}", style=style.HINT), soft_wrap=True)
    if report.get("problem"):
        console.print(Text(f"  problem: {visible(str(report['problem']))}", style=style.ERROR), soft_wrap=True)


def _print_test(test: Mapping[str, Any], console: Console) -> None:
    where = visible(str(test.get("visible") or test.get("device") or "?"))
    told = ", ".join(visible(str(test[name])) for name in _TOLD if test.get(name))
    state = style.BAD if test.get("problem") else style.GOOD
    console.print(
        Text.assemble(("  tested ", state), f"{where}: {told or visible(str(test.get('problem')))}"), soft_wrap=True
    )
    bench = test.get("bench")
    if not bench:
        return
    size = bench["size"]
    for name, speed in bench["matmul"].items():
        words = f"{name:<5} {speed['tflops']:>9} TFLOP/s   ({size} x {size} matrices, {speed['milliseconds']} ms)"
        console.print(Text(f"    {words}"), soft_wrap=True)
    memory = bench["memory"]
    words = f"copy  {memory['gigabytes_per_second']:>9} GB/s      ({memory['copied_mib']} MiB, read and written)"
    console.print(Text(f"    {words}"), soft_wrap=True)


def _together(found: Mapping[str, Any]) -> Text:
    if found.get("skipped"):
        return Text(f"  all-reduce: not run, {visible(str(found['skipped']))}", style=style.QUIET)
    name = f"  all-reduce ({visible(str(found['backend']))}, {found['processes']} processes): "
    if found.get("problem"):
        return Text(name + visible(str(found["problem"])), style=style.BAD)
    return Text(f"{name}the sums are right, {found['gigabytes_per_second']} GB/s", style=style.GOOD)
