"""`uri`: a request that the host makes of a server, and what came of it."""

from __future__ import annotations

import posixpath
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, field_validator, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, require_own
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Integer,
    Module,
    PathText,
    Result,
    Source,
    Text,
)
from scupi_provision.modules.programs import reason_not_to_run, when
from scupi_provision.modules.web.answer import Answer, answer_of, parsed_json, registered
from scupi_provision.modules.web.arguments import RequestArgs
from scupi_provision.modules.web.bodies import encoded
from scupi_provision.modules.web.request import Request, told
from scupi_provision.modules.writing import destination
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_TIMES_LONGER = 20
"""A request that is not silent may take so many timeouts as a whole."""


def _codes(value: Any) -> Any:
    return (
        [part.strip() for part in value.split(",")]
        if isinstance(value, str)
        else value
        if isinstance(value, list)
        else [value]
    )


class Args(RequestArgs, FileArgs):
    """Ask a server something. The host asks, by curl or wget; a request changes nothing unless `dest` is given."""

    url: Text = Field(description="Where to: http:// or https://.")
    method: Text = Field("GET", description="HTTP's verb.")
    body: Any = Field(None, description="What is sent: text, or what `body_format` makes of a value.")
    body_format: Literal["raw", "json", "form-urlencoded", "form-multipart"] = Field(
        "raw", description="How a body is written; sets Content-Type too."
    )
    src: Source | None = Field(None, description="A file that is sent, of this computer or, by remote_src, the host's.")
    remote_src: Boolean = Field(default=False, description="Whether `src` is a file on the host.")
    dest: PathText | None = Field(None, description="Where the answer is kept; below it when it is a directory.")
    force: Boolean = Field(default=False, description="Ask again although `dest` may be as new as the server's.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is asked.")
    removes: Text | None = Field(None, description="A path or glob: when it does not exist, nothing is asked.")
    return_content: Boolean = Field(default=False, description="Register what was answered as `content`.")
    status_code: Annotated[list[Integer], BeforeValidator(_codes)] = Field(
        default=[200], description="Codes that mean success."
    )
    follow_redirects: Literal["safe", "all", "none", "urllib2", "yes", "no"] = Field(
        "safe", description="Which redirections are followed: those of GET and HEAD (safe), all, or none."
    )
    timeout: Integer = Field(30, description="Seconds to wait for a connection, or in silence.")
    unix_socket: PathText | None = Field(None, description="A socket of the host to ask in place of the network.")

    @field_validator("url")
    @classmethod
    def _web(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"{url} does not begin with http:// or https://")
        if urlsplit(url).password:
            raise ValueError("a password in a URL would be seen in logs; use url_username and url_password")
        if any(character.isspace() for character in url):
            raise ValueError(f"{url}: a URL has no blanks; write %20")
        return url

    @field_validator("follow_redirects", mode="before")
    @classmethod
    def _old_words(cls, value: Any) -> Any:
        return {True: "all", False: "none", "yes": "all", "no": "none"}.get(value, value)

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.body is not None and self.src is not None:
            raise ValueError("give body or src, not both")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the request, unless `creates` or `removes` says that it is not needed."""
    require_own(args, host)
    reason = reason_not_to_run(host, args.creates, args.removes)
    if reason:
        return Result(values={"stdout": f"skipped, since {reason}"}, message=f"not asked, since {reason}")
    dest, settings = "", {"dest": "", "mode": "", "since": ""}
    if args.dest is not None:
        dest = destination(host, args.dest, unquote(posixpath.basename(urlsplit(args.url).path)) or "index.html")
        settings = _kept(args, host, dest)
    source = host.path(args.src) if isinstance(args.src, str) else ""
    request = _request(args)
    plain = request.method == "GET" and not request.headers and not args.url_username and args.validate_certs
    action = Run(
        script(
            "uri.sh",
            source=source,
            statuses=f" {' '.join(map(str, args.status_code))} ",
            simple="yes" if plain and request.body is None and not source else "",
            **settings,
        ),
        stdin=told(request, args, has_body=bool(source)),
        timeout_s=max(args.timeout, 1) * _TIMES_LONGER,
        writes=(dest,) if dest else () if args.method.upper() in {"GET", "HEAD"} else None,
        fails_when_nonzero=False,
    )
    host.run(action, f"{request.method} {args.url}" + (f" to {dest}" if dest else ""))
    return Result(changed=bool(dest), unprovable=bool(dest), undecided=f"what {args.url} answers")


def _kept(args: Args, host: HostView, dest: str) -> dict[str, str]:
    now = host.entry(dest)
    mode = ""
    if args.mode is not None:
        current = now.mode if now.mode is not None else host.default_mode()
        mode = f"{args.mode.resolve(current, is_directory=False):o}"
    return {"dest": dest, "mode": mode, "since": "yes" if now.kind is Kind.FILE and not args.force else ""}


def _request(args: Args) -> Request:
    method = args.method.upper()
    headers = {name: str(value) for name, value in args.headers.items()}
    body, kind = (None, "") if args.body is None else encoded(args.body, args.body_format)
    if isinstance(args.src, ControllerFile):
        body = args.src.content
    if kind and (args.body_format == "form-multipart" or "content-type" not in {name.lower() for name in headers}):
        headers["Content-Type"] = kind
    if args.force:
        headers["cache-control"] = "no-cache"
    follows = args.follow_redirects in {"all", "urllib2"} or (
        args.follow_redirects == "safe" and method in {"GET", "HEAD"}
    )
    follows = follows and not args.unredirected_headers
    return Request(args.url, method, headers, body, follows, args.timeout, args.unix_socket)


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What was answered, and whether that is success."""
    if not runs:
        return planned
    answer = answer_of(runs[-1], args.url)
    values = registered(answer) | parsed_json(answer) | {"elapsed": _seconds(runs[-1])}
    if args.return_content and answer.body is not None:
        values["content"] = answer.body.decode("utf-8", "replace")
    failure = _failure(args, answer)
    values["msg"] = failure or f"OK ({answer.headers.get('content-length', 'unknown')} bytes)"
    if args.dest is not None:
        values["path"] = args.dest
    changed = answer.fate == "kept"
    return Result(changed, values, message=failure, failed=bool(failure), unprovable=planned.unprovable)


def _failure(args: Args, answer: Answer) -> str:
    if answer.status not in args.status_code:
        error = answer.reason if answer.status == -1 else f"HTTP Error {answer.status}: {answer.reason}"
        if 0 < answer.status < 400 and answer.status != 304:
            error = f"OK ({answer.headers.get('content-length', 'unknown')} bytes)"
        return f"Status code was {answer.status} and not {[int(code) for code in args.status_code]}: {error}"
    if answer.fate == "unwritten":
        return f"cannot write {args.dest}"
    if args.return_content and answer.body is None:
        return f"the answer has {answer.size} bytes, more than are registered; keep it by `dest`"
    return ""


def _seconds(reply: RunReply) -> int:
    delta = when(reply.times)["delta"]
    hours, minutes, seconds = (delta or "0:0:0").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(float(seconds))


MODULE = Module("uri", Args, plan, finish, aliases=("ansible.builtin.uri",), files={"src": "files"})
