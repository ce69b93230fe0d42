"""Refuse requests that name what no text in the database can hold."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

_NUL = "\x00"


class PlainTextMiddleware:
    """Answer 400 to a NUL character in an address or a form: nobody types one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> None:
        """:raises BadRequest: if there is one"""
        said = [request.path_info, *_texts(request.GET), *_texts(request.POST)]
        if any(_NUL in text for text in said):
            raise BadRequest("There is a NUL character in it.")


def _texts(data: QueryDict) -> Iterator[str]:
    for name, values in data.lists():
        yield name
        yield from map(str, values)
