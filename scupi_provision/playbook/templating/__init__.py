"""Templates: the only room that knows Jinja.

`templar` renders values and judges conditions, `files` renders template files, `names` says which variables a text
needs. Below them: `environment` (compiling), `sandbox` (limits), `places` and `explain` (errors with positions),
`filters`, `jinja_tests` and `lookups`.
"""

from scupi_provision.playbook.templating.failures import UndefinedVariableError
from scupi_provision.playbook.templating.files import render_template
from scupi_provision.playbook.templating.names import NameUse, names_used, names_used_in_conditions
from scupi_provision.playbook.templating.omission import OMIT, Omit
from scupi_provision.playbook.templating.templar import LazyVariables, Templar

__all__ = [
    "OMIT",
    "LazyVariables",
    "NameUse",
    "Omit",
    "Templar",
    "UndefinedVariableError",
    "names_used",
    "names_used_in_conditions",
    "render_template",
]
