"""Rows of long lists, drawn by Jinja2: Django's own engine took half of such a page's time.

Their templates are in `templates/rows` (ADR 0043). `{% table_rows "items" rows=rows %}` draws one;
the tag is built in for every template (settings.TEMPLATES).
"""

import re
from datetime import date, datetime
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.template.defaultfilters import date as written
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.ext import Extension

from rampbridge.lib import icons, template_tags
from rampbridge.lib.url_tag import address

register = template.Library()


@register.simple_tag(takes_context=True)
def table_rows(context: Context, name: str, /, **values: Any) -> SafeString:
    """The rows that `templates/rows/<name>.jinja` makes of the values given here, and of `now`.

    What the page did not set arrives empty, as everywhere in Django's templates.

    :raises jinja2.TemplateNotFound: if there is no such template
    :raises jinja2.UndefinedError: if it asks for what it was not given
    """
    drawn = _environment().get_template(f"{name}.jinja").render(now=context["now"], **values)
    # Safe: the engine has escaped what it was given.
    return SafeString(drawn)


@cache
def _environment() -> Environment:
    engine = Environment(
        loader=FileSystemLoader(settings.BASE_DIR / "templates" / "rows"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=settings.DEBUG,
        extensions=[_Tight],
    )
    engine.globals.update(
        icon=icons.icon,
        chip=template_tags.chip,
        copy_id=template_tags.copy_id,
        age=pass_context(template_tags.age),
        ago=pass_context(template_tags.ago),
        url=_url,
    )
    engine.filters.update(amount=template_tags.amount, count=template_tags.count, date=_date)
    return engine


class _Tight(Extension):
    """Takes a template's layout away as it is compiled, so that none of it is sent fifty times."""

    def preprocess(self, source: str, _name: str | None, _filename: str | None = None) -> str:
        return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", source))


def _url(name: str, *args: Any) -> str:
    return address(name, args, {})


def _date(when: datetime | date | None, form: str) -> str:
    """As Django's filter of that name writes it; nothing for None."""
    return str(written(localtime(when) if isinstance(when, datetime) else when, form))
