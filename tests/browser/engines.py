"""One page in Chromium, Firefox or WebKit, all with the same part of Playwright's interface.

Chromium and Firefox are Debian's, driven by Playwright (Firefox over WebDriver BiDi). WebKit is
WebKitGTK behind WebKitWebDriver: Playwright needs a patched WebKit of its own.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.webkit import WebKitPage

ENGINES = ("chromium", "firefox", "webkit")
PROGRAMS = {"chromium": "CHROMIUM", "firefox": "FIREFOX"}


@contextmanager
def open_page(engine: str, folder: Path, *, javascript: bool) -> Iterator[Any]:
    """Open a page in a browser of its own with this profile; it ends with the block."""
    if engine == "webkit":
        with closing(WebKitPage(folder, javascript=javascript)) as webkit:
            yield webkit
        return
    launch: dict[str, Any] = {"args": ["--no-sandbox", "--disable-gpu"]}
    if engine == "firefox":
        launch = {"channel": "moz-firefox", "firefox_user_prefs": _preferences(javascript)}
        os.environ["NODE_OPTIONS"] = f"--require={Path(__file__).with_name('firefox_esr.js')}"
    with sync_playwright() as playwright:
        os.environ.pop("NODE_OPTIONS", None)
        context = getattr(playwright, engine).launch_persistent_context(
            folder,
            executable_path=os.environ[PROGRAMS[engine]],
            java_script_enabled=javascript,
            **launch,
        )
        with closing(context):
            page = context.pages[0] if context.pages else context.new_page()
            if engine == "firefox" and not javascript:
                _skip_waits(page)
            yield page


def _preferences(javascript: bool) -> dict[str, Any]:
    return {
        "javascript.enabled": javascript,  # Playwright cannot set it over BiDi
        "browser.sessionhistory.max_total_viewers": 0,  # it loses a page that Back restores whole
    }


def _skip_waits(page: Any) -> None:
    """Act at once: without JavaScript Firefox never reports that an element is stable."""

    def fill(selector: str, text: str) -> None:
        page.focus(selector)
        page.keyboard.press("Control+A")
        page.keyboard.type(text)

    page.fill = fill
    page.click = partial(page.click, force=True)
    page.check, page.uncheck = partial(page.check, force=True), partial(page.uncheck, force=True)
