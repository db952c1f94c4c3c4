"""`setup`: facts of the host."""

from __future__ import annotations

from scupi_provision.modules.contract import Module
from scupi_provision.modules.gathering import Args, plan

MODULE = Module("setup", Args, plan, aliases=("ansible.builtin.setup",))
