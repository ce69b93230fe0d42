"""Drawings are made of lines that a run has printed, and say so where it told nothing."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import drawing

LINES = [
    json.dumps(one)
    for one in (
        {"id": "B4", "name": "speed_one", "value": 12.4, "met": True, "interval": [12.1, 12.9]},
        {"id": "B8", "name": "statements_single", "value": 37, "met": False},
        {"id": "B14", "name": "sync_button", "value": 0, "met": True},
        {"id": "B6", "name": "scaling", "value": 0.01, "met": True,
         "details": {"objects_a_second": {"1": 3.3, "8": 25.0, "64": 140.0}}},
    )
]  # fmt: skip


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PAGE", "TARGETS_DRAWN", "SCALING_DRAWN"):
        path = tmp_path / getattr(drawing, name).name
        monkeypatch.setattr(drawing, name, path)
    page = tmp_path / "performance.md"
    page.write_text(f"Before\n{drawing.BEGIN}\nold\n{drawing.END}\nAfter\n")
    return page


def test_the_page_has_the_new_figures_and_what_else_stood_there(page: Path) -> None:
    drawing.draw(LINES)

    said = page.read_text()
    assert said.startswith("Before\n")
    assert said.endswith("\nAfter\n")
    assert "old" not in said
    assert "| B4 | `speed_one` | >= 12 | 12.4 (12.1 to 12.9) | met |" in said
    assert "| B8 | `statements_single` | <= 12 | 37 | **missed** |" in said
    assert "| B1 | `calls` | <= 1.05 | not measured |  |" in said


def test_both_drawings_can_be_read(page: Path) -> None:
    written = drawing.draw(LINES)

    for path in written:
        if path != page:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert 'class="missed"' in drawing.TARGETS_DRAWN.read_text()
    assert "140" in drawing.SCALING_DRAWN.read_text()
