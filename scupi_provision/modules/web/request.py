"""One request, as the two programs that can make it want to be told: curl's configuration and wget's.

Everything travels on standard input, so that no password, header or body is ever on a command line.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scupi_provision.modules.web.arguments import RequestArgs


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        method: In capitals.
        headers: By name; those of the arguments are added.
        body: None for a request without one.
        follows: Whether redirections are followed.
        timeout_s: For the connection, and for silence.
        unix_socket: A socket of the host, in place of its network.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    follows: bool = True
    timeout_s: int = 30
    unix_socket: str | None = None


def told(request: Request, args: RequestArgs, *, has_body: bool = False) -> bytes:
    """Standard input of `uri.sh`.

    Args:
        request: What is asked.
        args: By what way.
        has_body: The body is a file of the host.
    """
    with_body = has_body or request.body is not None
    parts = ["\n".join(_curl(request, args, with_body=with_body)), "\n".join(_wget(request, args, with_body=with_body))]
    body = base64.encodebytes(request.body or b"").decode("ascii")
    return ("\n--\n".join([*parts, request.url, body])).encode("utf-8", "surrogateescape")


def _curl(request: Request, args: RequestArgs, *, with_body: bool) -> Iterator[str]:
    """Lines of curl's configuration (curl(1), --config); `%BODY%` is the file with the body."""
    yield f"url = {_quoted(request.url)}"
    if request.method == "HEAD":
        yield "head"
    elif request.method != "GET" or with_body:
        yield f"request = {_quoted(request.method)}"
    if request.follows:
        yield "location"
    yield f"connect-timeout = {request.timeout_s}"
    yield f"speed-time = {request.timeout_s}"
    yield "speed-limit = 1"
    yield f"user-agent = {_quoted(args.http_agent)}"
    for name, value in request.headers.items():
        yield f"header = {_quoted(f'{name}: {value}' if value else f'{name};')}"
    if with_body:
        yield 'data-binary = "@%BODY%"'
        if "content-type" not in {name.lower() for name in request.headers}:
            yield 'header = "Content-Type:"'  # curl's own guess is no answer
    if args.url_username is not None:
        yield f"user = {_quoted(args.url_username + ':' + (args.url_password or ''))}"
        yield "basic" if args.force_basic_auth else "anyauth"
    elif args.use_netrc:
        yield "netrc-optional"
    yield from _curl_security(request, args)


def _curl_security(request: Request, args: RequestArgs) -> Iterator[str]:
    if not args.use_proxy:
        yield 'noproxy = "*"'
    if not args.validate_certs:
        yield "insecure"
    for option, value in (("cacert", args.ca_path), ("cert", args.client_cert), ("key", args.client_key)):
        if value is not None:
            yield f"{option} = {_quoted(value)}"
    if args.ciphers:
        yield f"ciphers = {_quoted(':'.join(args.ciphers))}"
    if request.unix_socket is not None:
        yield f"unix-socket = {_quoted(request.unix_socket)}"


def _wget(request: Request, args: RequestArgs, *, with_body: bool) -> Iterator[str]:
    """Lines of a wgetrc (GNU Wget's manual, "Wgetrc Commands")."""
    yield f"method = {request.method}"
    # A server may close a connection that wget means to use again (after a redirection): asked once more.
    yield f"tries = {2 if request.method in {'GET', 'HEAD'} else 1}"
    yield f"max_redirect = {20 if request.follows else 0}"
    yield f"timeout = {request.timeout_s}"
    yield f"user_agent = {args.http_agent}"
    for name, value in request.headers.items():
        yield f"header = {name}: {value}"
    if with_body:
        yield "body_file = %BODY%"
    if args.url_username is not None:
        yield f"user = {args.url_username}"
        yield f"password = {args.url_password or ''}"
        yield f"auth_no_challenge = {'on' if args.force_basic_auth else 'off'}"
    yield f"netrc = {'on' if args.use_netrc else 'off'}"
    yield f"use_proxy = {'on' if args.use_proxy else 'off'}"
    yield f"check_certificate = {'on' if args.validate_certs else 'off'}"
    paths = (("ca_certificate", args.ca_path), ("certificate", args.client_cert), ("private_key", args.client_key))
    for command, path in paths:
        if path is not None:
            yield f"{command} = {path}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
