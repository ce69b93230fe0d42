"""Addresses in templates are Django's, and each is worked out once."""

from typing import Any

import pytest
from django.template import Context, Engine
from django.urls import NoReverseMatch, reverse

from rampbridge.lib import url_tag


def drawn(source: str, **values: Any) -> str:
    return Engine.get_default().from_string(source).render(Context(values))


def test_is_what_django_makes_of_it() -> None:
    assert drawn("{% url 'item' key %}", key=7) == reverse("item", args=[7])
    assert drawn("{% url 'item' pk=key %}", key=7) == reverse("item", args=[7])


def test_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(*given: Any, **_: Any) -> str:
        asked.append(given)
        return "/there/"

    monkeypatch.setattr(url_tag, "reverse", answer)
    url_tag._remembered.cache_clear()

    shown = drawn("{% for _ in many %}{% url 'item' 7 %}{% endfor %}", many="four")

    url_tag._remembered.cache_clear()
    assert (shown, len(asked)) == ("/there/" * 4, 1)


def test_in_a_variable_is_empty_where_there_is_no_such_page() -> None:
    assert drawn("{% url 'item' word as there %}[{{ there }}]", word="none") == "[]"
    assert drawn("{% url 'item' 7 as there %}[{{ there }}]") == f"[{reverse('item', args=[7])}]"


def test_of_no_page_is_a_mistake() -> None:
    with pytest.raises(NoReverseMatch):
        drawn("{% url 'item' word %}", word="none")
