"""The committed reference pages are those that the code makes."""

from pathlib import Path

import pytest

from careroute.reference import PAGES

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_current(page: str) -> None:
    made = PAGES[page]()
    assert (DOCS / f"{page}.md").read_text() == made, (
        f"make it anew: python -m careroute.reference {page} > docs/{page}.md"
    )


def test_every_setting_is_explained_and_no_path_is_of_one_machine() -> None:
    for line in PAGES["settings"]().splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.split("|")]
            assert cells[3].endswith("."), line
    assert str(Path.home()) not in PAGES["settings"]() and str(DOCS.parent) not in PAGES["settings"]()
