"""`python -m conda_stand_in`."""

from .cli import program

program()
