"""Whether pages look right: opened once, looked at in both themes and at both widths.

`assert wrong_with(arrive(), "/items/", "/errors/") == []` is the whole test of a page in one state.
It holds each page against the rules of WCAG 2.2 AA, for one wide phone and one laptop, finds what
does not fit the width, and whatever the browser complained about meanwhile. Opening a page anew for
each theme would only cost time: themes and widths change under an open page in real life, too.
"""

from collections.abc import Iterator, Sequence

from tests.browser.conftest import Theme, Visitor

Look = tuple[Theme, int]
"""A theme, and a width in pixels."""

BOTH: Sequence[Look] = (("light", 375), ("dark", 1440))
"""They show every colour and every width."""
THE_OTHERS: Sequence[Look] = (("light", 1440), ("dark", 375))
"""In addition, for the pages that people use all day."""


def wrong_with(visitor: Visitor, *paths: str, looks: Sequence[Look] = BOTH) -> list[str]:
    """Everything that is wrong with these pages, in words; nothing, if they look right."""
    found: list[str] = []
    for path in paths:
        visitor.go(path)
        found += [f"{path} {fault}" for fault in faults_in(visitor, looks)]
    return found + visitor.complaints


def faults_in(visitor: Visitor, looks: Sequence[Look] = BOTH) -> Iterator[str]:
    """The same of the page that is open, as it is now."""
    page = visitor.page
    for theme, width in looks:
        page.set_viewport_size({"width": width, "height": 900})
        visitor.prefer(theme)
        visitor.unfold()
        yield from (f"in {theme} at {width} px: {fault}" for fault in visitor.faults_in_sight())
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            yield f"in {theme} at {width} px is {overflow} px wider than the screen"
