"""`provision lint`: what check would refuse, and style worth having. No host is asked, no key is needed."""

from __future__ import annotations

from collections.abc import Iterator

from scupi_provision.playbook.linting.findings import Finding
from scupi_provision.playbook.linting.linter import findings
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import read_site


def lint(request: RunRequest) -> Iterator[Finding]:
    """Yield what the rules say of the playbook of `request`.

    Raises:
        InputError: check would refuse the site; with every reason.
    """
    yield from findings(read_site(request).playbook)
