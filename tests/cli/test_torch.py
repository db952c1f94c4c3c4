"""`provision torch explain` as a person runs it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

CLUSTER = ("--driver", "510.47", "--cc", "8.0", "--glibc", "2.17")


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scupi_provision", "torch", "explain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_says_which_and_how_to_install_it() -> None:
    done = explain(*CLUSTER, "--with", "torchvision")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "torch 2.6.0+cu118"
    assert (
        lines[1] == "  suits   driver 510.47 (knows CUDA 11.0 at least), compute capability 8.0, glibc 2.17, any Python"
    )
    command = "pip install --only-binary :all: torch==2.6.0+cu118 torchvision==0.21.0"
    assert lines[3] == f"  install {command} --index-url https://download.pytorch.org/whl/cu118"


def test_says_why_nothing_newer() -> None:
    text = " ".join(explain(*CLUSTER).stdout.split())
    assert "2.9.0 to 2.15.0 (cu130)" in text
    assert "CUDA 13 needs driver 580; here it is 510.47" in text
    assert "2.7.0 to 2.7.1 (cu118) needs glibc 2.28; here it is 2.17" in text


def test_json_has_all_of_it() -> None:
    found = json.loads(explain(*CLUSTER, "--python", "3.11", "--cuda", "11.6", "--json").stdout)
    assert found["machine"] == {
        "driver": "510.47", "cuda": "11.6", "compute_caps": ["8.0"], "glibc": "2.17", "python": "3.11",
    }  # fmt: skip
    assert found["choice"]["spec"] == ["torch==2.6.0+cu118"]
    assert found["choice"]["index_url"] == "https://download.pytorch.org/whl/cu118"
    assert found["choice"]["only_binary"] is True
    assert found["conda_forge"] is None
    assert found["cpu"]["torch"] == "2.6.0"
    newest = found["rejected"][0]
    assert (newest["torch"], newest["tag"]) == ("2.15.0", "cu132")
    assert [reason["kind"] for reason in newest["reasons"]] == ["driver", "glibc"]


def test_conda_forge_may_have_a_newer_one() -> None:
    found = json.loads(explain("--driver", "580", "--cc", "8.0", "--glibc", "2.17", "--json").stdout)
    assert found["choice"]["torch"] == "2.6.0"
    assert found["conda_forge"]["conda_packages"] == ["pytorch=2.13.0=cuda130_*"]
    command = explain("--driver", "580", "--cc", "8.0", "--tag", "conda-forge").stdout
    assert "conda install -c conda-forge 'pytorch=2.13.0=cuda130_*'" in command


def test_nothing_suits_is_status_1_with_what_there_is() -> None:
    done = explain("--driver", "430", "--cc", "7.0", "--glibc", "2.28")
    assert done.returncode == 1
    assert done.stdout.startswith("no build of torch with CUDA suits a machine with driver 430")
    assert "without a GPU, torch 2.15.0+cpu" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--driver", "11.6"), "looks like a CUDA version"),
        (("--driver", "510.47", "--cc", "80"), 'written like "8.0"'),
        (("--driver", "510.47", "--tag", "cu117x"), 'did you mean "cu117"?'),
        (("--driver", "510.47", "--pin", "new"), "write 2.4, 2.4.1, 2.4.1+cu121"),
        (("--glibc", "2.17"), "--driver"),
        (("--driver", "510.47", "--lab"), "--host"),
    ],
)
def test_bad_numbers_are_refused_with_advice(arguments: tuple[str, ...], said: str) -> None:
    done = explain(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_of_the_inventory_can_be_asked(tmp_path: Path) -> None:
    """This machine is the host; its C library is read, and what is told on the command line counts more."""
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text("all:\n  hosts:\n    here: {ansible_connection: local}\n")
    asked = ("--host", "here", "-i", str(inventory), "--driver", "535.104.05", "--cc", "8.0", "--json")
    found = json.loads(explain(*asked).stdout)["machine"]
    assert (found["driver"], found["glibc"]) == ("535.104.05", platform.libc_ver()[1])
    told = json.loads(explain(*asked, "--glibc", "2.17").stdout)["machine"]
    assert told["glibc"] == "2.17"
    nobody = explain("--host", "there", "-i", str(inventory))
    assert nobody.returncode == 2
    assert "there" in nobody.stderr


def test_an_answer_takes_no_longer_than_a_look() -> None:
    """Nothing of a run, of SSH or of templates is loaded for it."""
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "scupi_provision", "torch", "explain", *CLUSTER, "--json"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    modules = {line.rpartition("|")[2].strip() for line in loaded.splitlines()}
    assert not {"fabric", "paramiko", "jinja2", "rich"} & modules
    start = time.perf_counter()
    explain(*CLUSTER)
    assert time.perf_counter() - start < 5  # 0.25 s on an idle machine; this one may be busy
