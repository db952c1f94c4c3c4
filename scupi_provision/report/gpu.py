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


# --- the probe's report: a host wrote it, so nothing in it is taken to be what it should be ---------------------------


def _word(value: object) -> str:
    return visible(str(value))


def _objects(within: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = within.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _object(within: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = within.get(key)
    return found if isinstance(found, dict) else {}


def _print_report(report: Mapping[str, Any], console: Console) -> None:
    lines: list[Text] = []
    if report.get("stand_in"):
        lines.append(Text(f"  stand-in: {_word(report['stand_in'])}", style="yellow"))
    for test in _objects(report, "tests"):
        lines += [_tested(test), *_speeds(_object(test, "bench"))]
    if together := _object(report, "all_reduce"):
        lines.append(_together(together))
    for finding in _objects(report, "findings"):
        lines.append(Text(f"  {_word(finding.get('what'))}", style=style.WARNING))
        lines.append(Text(f"    try: {_word(finding.get('fix'))}", style=style.HINT))
    if report.get("problem"):
        lines.append(Text(f"  problem: {_word(report['problem'])}", style=style.ERROR))
    for line in lines:
        console.print(line, soft_wrap=True)


def _tested(test: Mapping[str, Any]) -> Text:
    where = _word(test.get("visible") or test.get("device") or "no GPU")
    told = ", ".join(_word(test[name]) for name in _TOLD if test.get(name)) or _word(test.get("problem"))
    return Text.assemble(("  tested ", style.BAD if test.get("problem") else style.GOOD), f"{where}: {told}")


def _speeds(bench: Mapping[str, Any]) -> list[Text]:
    size = _word(bench.get("size"))
    lines = []
    for name, speed in _object(bench, "matmul").items():
        told = speed if isinstance(speed, dict) else {}
        words = f"({size} x {size} matrices, {_word(told.get('milliseconds'))} ms)"
        lines.append(f"{_word(name):<5} {_word(told.get('tflops')):>9} TFLOP/s   {words}")
    if memory := _object(bench, "memory"):
        words = f"({_word(memory.get('copied_mib'))} MiB, read and written)"
        lines.append(f"copy  {_word(memory.get('gigabytes_per_second')):>9} GB/s      {words}")
    return [Text(f"    {line}") for line in lines]


def _together(found: Mapping[str, Any]) -> Text:
    if found.get("skipped"):
        return Text(f"  all-reduce: not run, {_word(found['skipped'])}", style=style.QUIET)
    name = f"  all-reduce ({_word(found.get('backend'))}, {_word(found.get('processes'))} processes): "
    if found.get("problem"):
        return Text(name + _word(found["problem"]), style=style.BAD)
    return Text(f"{name}the sums are right, {_word(found.get('gigabytes_per_second'))} GB/s", style=style.GOOD)
