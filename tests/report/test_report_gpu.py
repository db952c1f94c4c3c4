"""What `provision gpu` prints is safe and complete whatever a host says."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scupi_provision.gpu.node import gpu_node, inventory_of
from scupi_provision.host.facts import Facts
from scupi_provision.report.gpu import print_node

EVIL = "\x1b]52;c;ZXZpbA==\x07\u202egpu\nline"
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
words = st.text("GPUMIN-0123456789, |:/[]()AaEn\t x", max_size=60)
reports = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("problem", "stand_in", "tests", "findings", "all_reduce"), anything),
)


def _printed(node) -> str:
    stream = io.StringIO()
    print_node(node, Console(file=stream, width=120, color_system=None, markup=False, emoji=False, highlight=False))
    return stream.getvalue()


@given(st.lists(st.tuples(st.sampled_from(["gpus", "apps", "listing", "table", "owner_1"]), words)), reports)
@settings(deadline=None)
def test_nothing_that_a_host_says_is_an_error(lines, report):
    """Not what nvidia-smi prints, nor what the probe reports."""
    node = gpu_node("gpu2", "", "", inventory_of(lines))
    assert _printed(node)
    object.__setattr__(node, "report", report)
    assert _printed(node)


def test_nothing_that_a_host_says_reaches_the_terminal_raw():
    """Names of programs and owners, and every text of the report."""
    lines = [("gpus", f"0, GPU-1, {EVIL.splitlines()[0]}, 510.47, 1, 1, 0, Default"), ("apps", f"GPU-1, 1, {EVIL}, 1")]
    node = gpu_node(EVIL, EVIL, EVIL, inventory_of([*lines, ("owner_1", EVIL)]))
    test = {
        "visible": EVIL,
        "torch": EVIL,
        "bench": {"matmul": {EVIL: {"tflops": EVIL}}, "memory": {"copied_mib": EVIL}},
    }
    report = {"tests": [test], "findings": [{"what": EVIL, "fix": EVIL}], "problem": EVIL, "stand_in": EVIL}
    object.__setattr__(node, "report", {**report, "all_reduce": {"problem": EVIL}})
    shown = _printed(node)
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b]52" in shown


@given(st.dictionaries(st.sampled_from(["gpu_0", "gpu_1", "nvidia_header", "nvidia_driver_text"]), words))
@settings(deadline=None)
def test_nothing_that_a_host_says_spoils_the_facts(raw):
    variables = Facts(raw).variables()
    assert variables["gpu_count"] == len(variables["gpus"])
