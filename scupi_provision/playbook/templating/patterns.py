"""Regular expressions of templates."""

from __future__ import annotations

import functools
import re

from scupi_provision.playbook.templating.failures import TemplateFailure


@functools.lru_cache(maxsize=512)
def pattern(expression: str, *, ignorecase: bool = False, multiline: bool = False) -> re.Pattern[str]:
    """`expression` compiled; TemplateFailure when it is not a regular expression."""
    flags = (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)
    try:
        return re.compile(expression, flags)
    except re.error as error:
        raise TemplateFailure(f"not a regular expression: {expression!r} ({error})") from None
