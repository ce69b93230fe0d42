"""Which Chromium the browser tests and screenshots use."""

import os
import shutil

CHROMIUM_MISSING = (
    "Browser tests are skipped: there is no Chromium. "
    "Install it (Debian: apt-get install chromium) or name one by CHROMIUM=/path/to/chromium."
)
# Playwright gets the system's browser with these; the sandbox needs rights that containers lack.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The browser's program, or None."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)
