"""Events to people and machines. Importing this package is cheap: rich is loaded when a console is opened."""

from scupi_provision.report.base import Reporter
from scupi_provision.report.opening import make_reporter

__all__ = ["Reporter", "make_reporter"]
