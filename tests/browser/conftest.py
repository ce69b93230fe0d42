"""A real browser on the real pages, served from the test's own process."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
    expect,
)

from tests.browser.serving import (
    plain_static_files,
    serving,
    session_cookie,
    wait_until_idle,
)
from tests.browsers import CHROMIUM_ARGUMENTS, find_chromium
from tests.factories import UserFactory

# Playwright's sync API keeps a loop running in this thread, which makes Django refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

expect.set_options(timeout=30_000)
"""Milliseconds in which what is expected must come true: a busy machine takes its time, and who
waits in vain has found a fault."""

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
AXE = Axe().axe_script
FIND_FAULTS = (Path(__file__).parent / "faults.js").read_text()
Theme = Literal["light", "dark"]
THEMES: Sequence[Theme] = ("light", "dark")
MOST_UNFOLDINGS = 10
"""So often something may come late on one page."""
_passed: set[str] = set()
"""What `faults.js` calls a likeness: text in colours that were found to be readable."""


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": find_chromium(), "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def address(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    with django_db_blocker.unblock(), plain_static_files(), serving() as found:
        yield found


@dataclass
class Visitor:
    """One person at one browser window, and everything the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def prefer(self, theme: Theme) -> None:
        """Have the system turn to this theme, and the page with it."""
        self.page.emulate_media(color_scheme=theme)
        expect(self.page.locator("html")).to_have_attribute("data-bs-theme", theme)

    def faults(self) -> list[str]:
        """What accessibility rules find on the page as it is.

        It is looked at as high as it is, or a bar that sticks to the edge would hide what can be
        scrolled out from under it.
        """
        size = self.unfold()
        found = self.faults_in_sight()
        self.page.set_viewport_size(size)
        return found

    @property
    def has_grown(self) -> bool:
        """Whether something came late, so that the window is no longer as high as the page."""
        return bool(self.page.evaluate("document.documentElement.scrollHeight > innerHeight"))

    def unfold(self) -> ViewportSize:
        """Make the window as high as the page. Returns what it was."""
        size = self.page.viewport_size or {"width": 1440, "height": 900}
        high = int(self.page.evaluate("document.documentElement.scrollHeight"))
        self.page.set_viewport_size({**size, "height": max(size["height"], high)})
        return size

    def faults_in_sight(self) -> list[str]:
        """The same in a window that was made high enough before."""
        if self.page.evaluate("typeof axe === 'undefined'"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(FIND_FAULTS, {"rules": WCAG, "passed": [*_passed]})
        for _ in range(MOST_UNFOLDINGS):
            if not self.has_grown:
                break
            self.unfold()
            found = self.page.evaluate(FIND_FAULTS, {"rules": WCAG, "passed": [*_passed]})
        else:
            return [f"It is never as high as its window: {self.page.url}"]
        _passed.update(found["passed"])
        return [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    def listen(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.complaints.append(f"{response.status} {response.url}")


Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(browser: Browser, address: str, transactional_db: None) -> Iterator[Arrive]:
    """Sign somebody in, as `arrive("support", theme="dark", width=375)`; "" is nobody."""
    contexts: list[BrowserContext] = []

    def one(role: str = "support", *, theme: str = "light", width: int = 1440) -> Visitor:
        context = browser.new_context(
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
        )
        contexts.append(context)
        if role:
            context.add_cookies([session_cookie(UserFactory.create(roles=[role]), address)])
        visitor = Visitor(context.new_page(), address)
        visitor.listen()
        return visitor

    yield one
    for context in contexts:
        context.close()
    wait_until_idle()
