"""`python -m scupi_provision`."""

from scupi_provision.cli.main import main

main()
