"""Django's `url` tag with a memory: a list names the same pages of the same rows again and again.

Built in for every template in place of Django's (settings.TEMPLATES).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parsed
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

register = template.Library()

REMEMBERED = 20_000
"""Addresses, of a hundred bytes or so each. Those that were not asked for the longest go first."""


class _Url(URLNode):
    def render(self, context: Context) -> str:
        name = self.view_name.resolve(context)
        args = [arg.resolve(context) for arg in self.args]
        kwargs = {key: value.resolve(context) for key, value in self.kwargs.items()}
        if self.asvar is None:
            return str(conditional_escape(address(name, args, kwargs)))
        try:
            context[self.asvar] = address(name, args, kwargs)
        except NoReverseMatch:
            context[self.asvar] = ""
        return ""


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    """As Django's tag, but for namespaces, of which we have none: `{% url "item" item.pk %}`."""
    node: URLNode = parsed(parser, token)
    node.__class__ = _Url
    return node


def address(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The address of a page.

    :raises NoReverseMatch: if there is none of that name that takes these arguments
    """
    return _remembered(get_script_prefix(), get_urlconf(), name, tuple(args), tuple(kwargs.items()))


@lru_cache(maxsize=REMEMBERED)
def _remembered(
    _prefix: str,
    _urlconf: str | None,
    name: str,
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> str:
    return reverse(name, args=args, kwargs=dict(kwargs))
