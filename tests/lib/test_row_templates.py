from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.template import Context, Template
from jinja2 import UndefinedError
from pytest_django import Settings

from rampbridge.lib import row_templates

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def rows(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """The folder of rows' templates, empty."""
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "templates" / "rows"
    folder.mkdir(parents=True)
    row_templates._environment.cache_clear()
    yield folder
    row_templates._environment.cache_clear()


def drawn(source: str, **context: object) -> str:
    return Template(source).render(Context({"now": NOON, **context}))


class TestRows:
    def test_escape_what_they_are_given(self, rows: Path) -> None:
        (rows / "names.jinja").write_text('<b title="{{ name }}">{{ name }}</b>')

        html = drawn('{% table_rows "names" name=name %}', name='"<script>')

        assert html == '<b title="&#34;&lt;script&gt;">&#34;&lt;script&gt;</b>'

    def test_take_what_the_page_did_not_set_as_empty(self, rows: Path) -> None:
        (rows / "names.jinja").write_text("<i>{% if pickable %}tick{% endif %}</i>")

        assert drawn('{% table_rows "names" pickable=pickable %}') == "<i></i>"

    def test_refuse_to_leave_a_place_empty_for_what_they_were_not_given(self, rows: Path) -> None:
        (rows / "names.jinja").write_text("<i>{{ name }}</i>")

        with pytest.raises(UndefinedError, match="name"):
            drawn('{% table_rows "names" %}')

    def test_send_no_layout_and_keep_attributes_apart(self, rows: Path) -> None:
        (rows / "names.jinja").write_text(
            '<tr>\n  <td class="a"\n      id="b">\n    x\n  </td>\n</tr>'
        )

        assert drawn('{% table_rows "names" %}') == '<tr><td class="a" id="b"> x </td></tr>'

    def test_write_times_and_days_as_pages_do(self, rows: Path) -> None:
        (rows / "times.jinja").write_text(
            '{{ age(at) }}|{{ at|date("j M, H:i") }}|{{ day|date("j M") }}'
        )
        page = "{% age at %}|{{ at|date:'j M, H:i' }}|{{ day|date:'j M' }}"
        values = {"at": NOON - timedelta(hours=3), "day": date(2026, 11, 2)}

        html = drawn('{% table_rows "times" at=at day=day %}', **values)

        assert html == drawn(page, **values)
        assert "3 h" in html

    def test_write_nothing_for_no_day(self, rows: Path) -> None:
        (rows / "times.jinja").write_text('{{ day|date("j M") or "none" }}')

        assert drawn('{% table_rows "times" day=day %}', day=None) == "none"
