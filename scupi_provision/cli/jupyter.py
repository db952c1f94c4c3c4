"""`provision jupyter`: a notebook on the GPU node, in the browser of this computer."""

from __future__ import annotations

import html
import json as json_text
import os
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.showing import show_results
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.inventory.models import Host
    from scupi_provision.run.jupyter import Consent, JupyterWish, Serving
    from scupi_provision.run.notebook.environment import Environment
    from scupi_provision.run.request import RunRequest

_PORT = 8888
"""PORT of run/jupyter.py, which is slow to import."""


def jupyter(
    which: Annotated[str | None, typer.Argument(help="With --stop: the server, by its key or environment.")] = None,
    node: Annotated[
        str | None, typer.Option("--node", help="Where it runs (default: the host behind another).")
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", help="The environment: a name (default: torch) or a path.")
    ] = None,
    account: options.Account = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port here; the next free one.")] = _PORT,
    ui: Annotated[
        Literal["lab", "notebook", "none"] | None, typer.Option(help="What the browser shows (default: what is there).")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only print its address.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Install what is missing without asking.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show the servers that there are.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End a server and its kernels.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With --stop: every server of the account.")] = False,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    json: Annotated[bool, typer.Option("--json", help="With --list: each host as one line of JSON.")] = False,
) -> None:
    """Run Jupyter on the GPU node and open it here, through all hops; or join the one that runs.

    The server outlives this command and a lost connection. Exits 0 after Ctrl-C.
    """

    def work() -> int:
        from scupi_provision.run.jupyter import JupyterWish  # noqa: PLC0415 - keeps `--help` fast

        _check_options(which, show_list=show_list, stop=stop, every=every, json=json)
        request = options.inventory_request(inventory, None, lab=lab)
        if show_list:
            return _list(request, node, account, json=json)
        if stop:
            return _stop(request, node, account, which or env, every=every)
        wish = JupyterWish(node, account, env, port, ui)
        consent: Consent = partial(_agrees, yes=yes)
        if lab:
            request, consent = _from_the_lab(request, consent)
        return _serve(request, wish, consent, browser=browser)

    raise typer.Exit(guarded(work))


def _check_options(which: str | None, *, show_list: bool, stop: bool, every: bool, json: bool) -> None:
    if show_list and stop:
        raise InputError("--list and --stop exclude each other")
    if (which or every) and not stop:
        raise InputError("a server and --all are for --stop", hint="--env names the environment to start one in")
    if json and not show_list:
        raise InputError("--json is for --list")


def _list(request: RunRequest, node: str | None, account: str | None, *, json: bool) -> int:
    from scupi_provision.report.jupyter import print_servers, servers_data  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415
    from scupi_provision.run.jupyter_servers import Listed, jupyter_servers  # noqa: PLC0415

    console = open_console(sys.stdout)

    def tell(listed: Listed) -> None:
        if json:
            print(json_text.dumps(servers_data(listed.host.base, listed.servers)))
        else:
            print_servers(console, listed.host.base, listed.servers)

    return show_results(jupyter_servers(request, node, account), Listed, tell)


def _stop(request: RunRequest, node: str | None, account: str | None, which: str | None, *, every: bool) -> int:
    from scupi_provision.report.opening import make_reporter  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.run.jupyter_servers import stop_jupyter  # noqa: PLC0415

    reporter = make_reporter("console", diff=False, verbosity=0, stdout=sys.stdout, stderr=sys.stderr)
    for notice in stop_jupyter(request, node, account, which, every=every):
        reporter.handle(notice)
    reporter.close()
    return 0


def _serve(request: RunRequest, wish: JupyterWish, consent: Consent, *, browser: bool) -> int:
    """Until Ctrl-C, or until the server has ended."""
    from scupi_provision.report.opening import make_reporter  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.run.jupyter import Serving, jupyter  # noqa: PLC0415

    reporter = make_reporter("console", diff=False, verbosity=0, stdout=sys.stdout, stderr=sys.stderr)
    farewell: Callable[[], None] | None = None
    with ExitStack() as ends:
        ends.callback(reporter.close)
        try:
            for each in jupyter(request, wish, consent):
                if not isinstance(each, Serving):
                    reporter.handle(each)
                    continue
                farewell = _announce(each)
                if browser and _has_screen():
                    webbrowser.open(ends.enter_context(_page_that_leads_to(each.url.reveal())).as_uri())
        except KeyboardInterrupt:
            if farewell is None:
                raise
            farewell()
    return 0


def _announce(serving: Serving) -> Callable[[], None]:
    """Show where it answers; what is to be said when it is left."""
    from scupi_provision.report import jupyter as words  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    console, node = open_console(sys.stdout), serving.host.base
    words.print_serving(console, node, serving.server, serving.version, joined=serving.joined)
    address = serving.url.reveal()
    words.print_address(console, address, serving.port, serving.wanted_port, lasts=serving.lasts)
    return partial(words.print_left, console, node, lasts=serving.lasts)


def _from_the_lab(request: RunRequest, consent: Consent) -> tuple[RunRequest, Consent]:
    """Have Jupyter come from the lab's mirror, which gets it when somebody has agreed to install it."""
    from scupi_provision.cli.lab import start_lab  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.lab.jupyter_source import jupyter_index, serve_jupyter  # noqa: PLC0415

    lab = start_lab()

    def agrees(host: Host, environment: Environment, missing: tuple[str, ...]) -> bool:
        agreed = consent(host, environment, missing)
        if agreed:
            serve_jupyter(lab, lambda text: print(f"lab: {text}", file=sys.stderr, flush=True))
        return agreed

    extra = {**request.extra, "jupyter_index_url": [jupyter_index(lab)]}
    return replace(request, extra=extra, stand_ins=lab.stand_ins), agrees


def _agrees(host: Host, environment: Environment, missing: tuple[str, ...], *, yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return yes
    return typer.confirm(f"{environment.path} has no {', '.join(missing)}. Install it on {host.base}?", default=True)


def _has_screen() -> bool:
    """Whether a browser would get a window: in a terminal alone, webbrowser would start one that takes it over."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def _page_that_leads_to(url: str) -> Iterator[Path]:
    """A file that only we can read and that sends the browser on: an address on its command line is for all to see."""
    descriptor, name = tempfile.mkstemp(prefix="provision-jupyter-", suffix=".html")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(url)}">\n')
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
