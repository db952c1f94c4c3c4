"""A download of which a server must be told more than the URL, or whose sum only the host can make."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote, urlsplit

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Result
from scupi_provision.modules.web.answer import answer_of
from scupi_provision.modules.web.request import Request, told
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_WHOLE_S = 3600
"""A download may take as long as one that `Fetch` makes."""


def plan_request(args: Any, host: HostView, path: str) -> Result:
    """Plan the request of `get_url`; `args` are its arguments."""
    if args.backup:
        raise TaskFailedError("backup goes with a checksum by sha256 or none, and without headers or a login")
    if urlsplit(args.url[0]).scheme not in {"http", "https"}:
        raise TaskFailedError(f"{args.url[0]}: a login, headers and such go with http:// and https://")
    now = host.entry(path)
    mode = ""
    if args.mode is not None:
        current = now.mode if now.mode is not None else host.default_mode()
        mode = f"{args.mode.resolve(current, is_directory=False):o}"
    algorithm, _, sought = (args.checksum or "").partition(":")
    listed = "://" in sought
    request = Request(
        args.url[0],
        headers={name: str(value) for name, value in args.headers.items()},
        follows=not args.unredirected_headers,
        timeout_s=args.timeout,
    )
    words = script(
        "uri.sh",
        source="",
        dest=path,
        mode=mode,
        statuses=" 200 ",
        since="",
        simple="",
        algorithm=algorithm,
        digest="" if listed else sought,
        sums=sought if listed else "",
        named=unquote(posixpath.basename(urlsplit(args.url[0]).path)),
        quiet="yes",
    )
    action = Run(
        words, stdin=told(request, args), timeout_s=_WHOLE_S, phase="download", writes=(path,), fails_when_nonzero=False
    )
    host.run(action, f"download {args.url[0]} to {path}")
    return Result(changed=True, undecided=f"what {args.url[0]} answers", unprovable=True)


def finish_request(args: Any, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What came of it; a plain download has said all before."""
    if not runs or not planned.undecided:
        return planned
    answer = answer_of(runs[-1], args.url[0])
    values: dict[str, Any] = {"url": args.url[0], "dest": args.dest, "status_code": answer.status, "elapsed": 0}
    if answer.fate in {"kept", "same"}:
        values["msg"] = f"OK ({answer.headers.get('content-length', 'unknown')} bytes)"
        return Result(changed=answer.fate == "kept", values=values, unprovable=planned.unprovable)
    said = runs[-1].stderr.decode("utf-8", "replace").strip()
    message = said.splitlines()[-1] if said else "Request failed"
    if not said and answer.status > 0:
        values["response"] = f"HTTP Error {answer.status}: {answer.reason}"
    return Result(values={**values, "msg": message}, message=values.get("response", message), failed=True)
