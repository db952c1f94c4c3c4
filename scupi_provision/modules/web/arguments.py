"""Arguments that `uri` and `get_url` share: who asks, by what way, and what a server is told."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, field_validator

from scupi_provision.modules.contract import Boolean, Field, ModuleArgs, PathText, Text, Words

GSSAPI = "is refused: Kerberos needs tickets of a person on the host; give url_username and url_password"


class RequestArgs(ModuleArgs):
    """How a host asks a server."""

    url_username: Text | None = Field(
        None,
        description="Who asks; sent when the server wants to know.",
        validation_alias=AliasChoices("url_username", "username", "user"),
    )
    url_password: Text | None = Field(
        None,
        description="The password; it travels on standard input and is never on a command line.",
        validation_alias=AliasChoices("url_password", "password"),
        repr=False,
    )
    force_basic_auth: Boolean = Field(
        default=False, description="Send name and password with the first request, unasked."
    )
    headers: dict[str, Any] = Field(default={}, description="Headers to send, by name.")
    http_agent: Text = Field("ansible-httpget", description="What the request says it comes from.")
    use_proxy: Boolean = Field(default=True, description="Whether proxies of the account's environment are used.")
    use_netrc: Boolean = Field(default=True, description="Whether names and passwords are taken from ~/.netrc.")
    use_gssapi: Boolean = Field(default=False, description=f"Kerberos {GSSAPI}.")
    validate_certs: Boolean = Field(default=True, description="Whether the server must prove who it is.")
    ca_path: PathText | None = Field(None, description="A file of certificates (PEM) that are trusted, on the host.")
    client_cert: PathText | None = Field(None, description="A certificate (PEM) that shows who asks, on the host.")
    client_key: PathText | None = Field(None, description="Its key (PEM), on the host.")
    ciphers: Words = Field(default=[], description="Ciphers that may be used, in OpenSSL's words.")
    decompress: Boolean = Field(default=True, description="As in Ansible; what comes is not compressed, unasked.")
    unredirected_headers: Words = Field(
        default=[], description="Headers that must not be sent on to where a redirection leads; those are not followed."
    )

    @field_validator("use_gssapi")
    @classmethod
    def _no_tickets(cls, value: object) -> object:
        if value:
            raise ValueError(GSSAPI)
        return value

    @field_validator("headers", mode="before")
    @classmethod
    def _mapping(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("headers")
    @classmethod
    def _one_line(cls, headers: dict[str, Any]) -> dict[str, Any]:
        for name, value in headers.items():
            if any(character in f"{name}{value}" for character in "\r\n\0"):
                raise ValueError(f"{name}: a header is one line")
        return headers
