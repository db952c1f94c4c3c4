"""The mask belongs to the process; a test must not see the secrets of another."""

from collections.abc import Iterator

import pytest
from scupi_provision.masking import mask


@pytest.fixture(autouse=True)
def _fresh_mask() -> Iterator[None]:
    mask().forget()
    yield
    mask().forget()
