"""Writes the pages of `docs/modules/`: `python -m scupi_provision.cli.module_pages FOLDER` (`invoke docs`)."""

from __future__ import annotations

import sys
from pathlib import Path

from scupi_provision.modules.describing import describe
from scupi_provision.modules.registry import MODULES
from scupi_provision.report.modules import index_page, module_page


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    described = [describe(MODULES[name]) for name in sorted(MODULES)]
    return {"README.md": index_page(described), **{f"{module.name}.md": module_page(module) for module in described}}


def write(folder: Path) -> None:
    """Make `folder` hold these pages and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
