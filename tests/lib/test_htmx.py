import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxMiddleware

from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial


def chosen(**headers: str) -> str:
    request = RequestFactory().get("/", headers=headers)
    names: list[str] = []

    def view(inner: HtmxHttpRequest) -> HttpResponse:
        names.append(page_or_partial(inner, "page", "part"))
        return HttpResponse()

    HtmxMiddleware(view)(request)  # type: ignore[arg-type]
    return names[0]


@pytest.mark.parametrize(
    ("headers", "template"),
    [
        ({}, "page"),
        ({"HX-Request": "true"}, "part"),
        ({"HX-Request": "true", "HX-Boosted": "true"}, "page"),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, "page"),
    ],
)
def test_only_a_swap_gets_the_part(headers: dict[str, str], template: str) -> None:
    assert chosen(**headers) == template
