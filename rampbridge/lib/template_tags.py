"""What templates need to write amounts, times, chips and ids the same way everywhere.

Built in for every template (settings.TEMPLATES). Times are relative to the `now` that the view put
into the context, so that a page tells one time throughout.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog
from django import template
from django.template.context import Context
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from rampbridge.lib import icons
from rampbridge.lib.money import Money
from rampbridge.lib.redaction import redacted_text

register = template.Library()

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
LONG_FIGURE = 14
"""Characters of an amount beyond which it may not fit where it is written large."""


class Look(Protocol):
    """How a status is shown: never by colour alone."""

    @property
    def label(self) -> str: ...
    @property
    def tone(self) -> str: ...
    @property
    def icon(self) -> str: ...


@register.simple_tag
def icon(name: str, css_class: str = "") -> SafeString:
    """A vendored icon; decoration, so say the word beside it."""
    return icons.icon(name, css_class)


@register.simple_tag
def chip(look: Look) -> SafeString:
    """Icon and word of a status in its tone."""
    return format_html(
        '<span class="chip tone-{}">{}{}</span>', look.tone, icons.icon(look.icon), look.label
    )


@register.filter
def amount(money: Money | None) -> SafeString | str:
    """An amount with grouped digits and its currency; one of very many digits says that it is."""
    if money is None:
        return ""
    figure = digits(money)
    is_long = " amount-long" if len(figure) > LONG_FIGURE else ""
    currency = escape(money.currency)
    return SafeString(
        f'<span class="amount{is_long}">{figure}<span class="currency">{currency}</span></span>'
    )


@register.filter
def digits(money: Money) -> str:
    """The figure alone, grouped by thousands, with a real minus sign."""
    return grouped(money.decimal)


@register.filter
def grouped(number: Decimal | str) -> str:
    """A figure as its source wrote it, with its own decimals, grouped by thousands."""
    return f"{Decimal(number):,f}".replace("-", "\N{MINUS SIGN}")


@register.filter
def count(number: int | None) -> str:
    """A whole number, grouped by thousands."""
    return "" if number is None else f"{number:,}"


@register.simple_tag(takes_context=True)
def ago(context: Context, when: datetime | None) -> SafeString | str:
    """`12 min ago`, or `in 5 min`, with the exact time on hover; the browser keeps it true."""
    if when is None:
        return ""
    seconds = _seconds_since(when, context["now"])
    if seconds < 0:
        text = f"in {_span(-seconds)}"
    elif seconds < 5:
        text = "just now"
    else:
        text = f"{_span(seconds)} ago"
    return _time(when, text, "ago")


@register.simple_tag(takes_context=True)
def age(context: Context, since: datetime | None) -> SafeString | str:
    """`2 h 10 min`: how long something has lasted."""
    if since is None:
        return ""
    return _time(since, _span(max(_seconds_since(since, context["now"]), 0)), "age")


@register.simple_tag(takes_context=True)
def countdown(context: Context, until: datetime) -> SafeString:
    """`2:14`: minutes and seconds that are left; the browser counts on."""
    left = max(-_seconds_since(until, context["now"]), 0)
    return _time(until, f"{left // _MINUTE}:{left % _MINUTE:02d}", "countdown")


@register.filter
def moment(when: datetime | None, time_zone: str = "UTC") -> SafeString | str:
    """The exact time in a time zone, which it names."""
    if when is None:
        return ""
    local = when.astimezone(ZoneInfo(time_zone))
    return format_html(
        '<time datetime="{}">{}</time>', when.isoformat(), local.strftime("%-d %b %Y, %H:%M:%S %Z")
    )


@register.filter
def clock(when: datetime | None, time_zone: str = "UTC") -> SafeString | str:
    """The time of day in a time zone, to the second."""
    if when is None:
        return ""
    local = when.astimezone(ZoneInfo(time_zone))
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), f"{local:%H:%M:%S}")


@register.filter
def duration(length: timedelta | None) -> str:
    """`3.2 s`, `4 min`, `2 h 10 min`."""
    if length is None:
        return ""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return _span(int(seconds))


@register.filter
def brief(length: timedelta | None) -> str:
    """`40 s`, `4 min`, `3 h`, `12 d`: the largest unit alone, for where there is little room."""
    if length is None:
        return ""
    seconds = int(length.total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.simple_tag
def copy_id(value: Any, what: str = "id", *, whole: bool = False) -> SafeString:
    """An id to read and to copy; shown by its start, or whole as far as there is room."""
    text = str(value)
    return format_html(
        '<span class="id-cell"><code title="{value}">{shown}</code><button class="copy above"'
        ' type="button" data-copy="{value}" aria-label="Copy {what} {value}" title="Copy {what}">'
        "{before}{after}</button></span>",
        value=text,
        shown=text if whole else _short(text),
        what=what,
        before=icons.icon("copy", "icon-before"),
        after=icons.icon("check", "icon-after"),
    )


@register.filter
def pretty_json(value: Any) -> str:
    """Indented JSON, for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def redacted(text: str) -> str:
    """What the other side said, without what is private in it."""
    return redacted_text(text)


@register.simple_tag
def request_reference() -> str:
    """What to quote about this request: the id that its log lines carry."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))[:8].upper()


def _short(text: str) -> str:
    return f"{text[:8]}\N{HORIZONTAL ELLIPSIS}" if len(text) > 14 else text


def _seconds_since(when: datetime, now: datetime) -> int:
    return int((now - when).total_seconds())


def _time(when: datetime, text: str, wording: str) -> SafeString:
    # Nothing of it comes from outside, and a list says hundreds of times.
    return SafeString(
        f'<time datetime="{when.isoformat()}" data-relative="{wording}"'
        f' title="{when:%-d %b %Y, %H:%M:%S %Z}">{text}</time>'
    )


def _span(seconds: int) -> str:
    """The two largest units, as `static/js/app.js` writes them too."""
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return _two(seconds // _HOUR, "h", seconds % _HOUR // _MINUTE, "min")
    return _two(seconds // _DAY, "d", seconds % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
