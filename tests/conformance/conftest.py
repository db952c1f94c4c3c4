"""The two tools, ready to run cases; and the rate at which check was right."""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conformance.cases import Case
from tests.conformance.collection_files import collections_folder
from tests.conformance.tools import Forks, Ran, Workplace, ansible_environment, run_ansible, run_provision


@dataclass(frozen=True)
class Pair:
    """One case in the hands of both tools."""

    case: Case
    tools: Tools
    theirs: Workplace
    ours: Workplace
    http: str

    def ansible(self) -> Ran:
        return run_ansible(self.case, self.theirs, self.tools.ansible, self.tools.environment, self.http)

    def check(self) -> Ran:
        return run_provision(self.case, self.ours, self.tools.provision, self.http, "check")

    def apply(self) -> Ran:
        return run_provision(self.case, self.ours, self.tools.provision, self.http)


@dataclass(frozen=True)
class Tools:
    ansible: Forks
    provision: Forks
    environment: dict[str, str]

    @contextmanager
    def prepared(self, case: Case) -> Iterator[Pair]:
        top = Path(tempfile.mkdtemp(prefix="conf-", dir="/tmp"))
        try:
            pair = Pair(case, self, Workplace(top / "a"), Workplace(top / "b"), "")
            pair.theirs.prepare(case)
            pair.ours.prepare(case)
            with _served(case, pair.theirs.site / "served") as address:
                yield Pair(case, self, pair.theirs, pair.ours, address)
        finally:
            shutil.rmtree(top)


@contextmanager
def _served(case: Case, prepared: Path) -> Iterator[str]:
    if not case.http and not prepared.is_dir():
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder:
        if prepared.is_dir():
            shutil.copytree(prepared, folder, dirs_exist_ok=True)
        for path, text in case.http.items():
            file = Path(folder) / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        handler = functools.partial(_Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", self.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST  # noqa: N815 - the parent's way of naming


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    if sys.version_info < (3, 11):
        pytest.skip("ansible-core 2.19 needs Python 3.11")
    environment = ansible_environment(tmp_path_factory.mktemp("ansible"), collections_folder())
    tools = Tools(Forks("ansible", environment), Forks("provision", {**environment}), environment)
    yield tools
    tools.ansible.close()
    tools.provision.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often check was right."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    told_of = (getattr(report, "user_properties", ()) for report in reports)
    counts = [value for properties in told_of for name, value in properties if name == "check"]
    if counts and any(sum(column) for column in zip(*counts, strict=True)):
        told, wrong, unknown = map(sum, zip(*counts, strict=True))
        rate = f"check foretold {told} of {told + wrong} outcomes ({100 * told / (told + wrong):.2f} %)"
        terminalreporter.write_line(f"{rate}; of {unknown} more it said that nobody can know yet")
