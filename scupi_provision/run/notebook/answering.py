"""What is behind the port: the address to open, the first answer, and what a browser is told when there is none."""

from __future__ import annotations

import http.client
import json
from urllib.parse import quote

from scupi_provision.errors import UnreachableError
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.transport.forwarding import ADDRESS
from scupi_provision.values import Secret

_ANSWER_S = 30.0


def address_of(port: int, server: JupyterServer, page: str) -> Secret:
    """What to open in a browser; whoever has it may run programs as the account."""
    token = server.token.reveal()
    return Secret(f"http://{ADDRESS}:{port}{server.base_url}{page}" + (f"?token={quote(token)}" if token else ""))


def ask_version(port: int, server: JupyterServer) -> str:
    """Ask the server through the port, as a browser will: what was said to serve has answered once.

    Raises:
        UnreachableError: It does not answer.
    """
    line = http.client.HTTPConnection(ADDRESS, port, timeout=_ANSWER_S)
    try:
        line.request("GET", f"{server.base_url}api", headers={"Authorization": f"token {server.token.reveal()}"})
        answer = line.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError("the server does not answer through the tunnel", detail=str(error)) from error
    finally:
        line.close()
    try:
        return str(json.loads(text)["version"])
    except (ValueError, KeyError, TypeError) as error:
        said = text.decode("utf-8", "replace")[:500]
        raise UnreachableError("what answers through the tunnel is no Jupyter server", detail=said) from error


def apology(error: UnreachableError) -> bytes:
    """What a browser shows while there is no way to the server."""
    body = f"{error}\n\nprovision tries again with the next request.\n".encode()
    head = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
