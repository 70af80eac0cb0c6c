"""WebKitGTK behind the part of Playwright's synchronous Page that these tests use."""

import base64
import ctypes
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

WINDOW = Path(__file__).with_name("webkit_window.py")
GTK = {
    "GDK_BACKEND": "x11",
    "NO_AT_BRIDGE": "1",
    "GSETTINGS_BACKEND": "memory",
    "LIBGL_ALWAYS_SOFTWARE": "1",
}
SHOWN = "css => { const e = document.querySelector(css); return !!e && e.checkVisibility() }"


class WebKitError(Exception):
    """An error that WebKitWebDriver answered, or a wait that ran out."""


class WebKitPage:
    """One page in a WebKitGTK window on a display of its own; selectors are CSS."""

    timeout = 20.0

    def __init__(self, profile: Path, *, javascript: bool) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = profile / "driver.log"
        self._address = ""
        try:
            self._open({"profile": str(profile), "javascript": javascript})
        except BaseException:
            self.close()
            raise

    def _open(self, options: dict[str, Any]) -> None:
        read, write = os.pipe()
        screen = ("-displayfd", str(write), "-screen", "0", "1280x1000x24")
        self._start({}, "Xvfb", *screen, keep=(write,))
        os.close(write)
        with os.fdopen(read) as answer:
            display = f":{answer.readline().strip()}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings = {**GTK, "DISPLAY": display, "WEBKIT_WINDOW": json.dumps(options)}
        self._start(settings, "WebKitWebDriver", f"--port={port}")
        self._address = f"http://127.0.0.1:{port}/session"
        # Debian's own Python has the GTK bindings.
        binary = {"binary": "/usr/bin/python3", "args": [str(WINDOW)]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": binary}}
        made = self._wait(lambda: self._command("POST", "", {"capabilities": wanted}), "a session")
        self._address += "/" + made["sessionId"]

    def _start(self, settings: dict[str, str], *command: str, keep: tuple[int, ...] = ()) -> None:
        def end_with_parent() -> None:
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG

        with self._log.open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    env=os.environ | settings,
                    stdout=log,
                    stderr=log,
                    pass_fds=keep,
                    preexec_fn=end_with_parent,
                )
            )

    def close(self) -> None:
        """End the window, the driver and the display."""
        with suppress(WebKitError):
            self._command("DELETE", "")
        for process in reversed(self._processes):
            process.terminate()
            process.wait(10)

    def _command(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        try:
            with urlopen(Request(self._address + path, data, method=method), timeout=60) as answer:
                return json.load(answer)["value"]
        except HTTPError as error:
            with error:
                raise WebKitError(str(json.load(error)["value"]["message"])) from None
        except (OSError, ValueError) as error:
            raise WebKitError(f"the driver does not answer: {error}") from None

    def _wait(self, test: Callable[[], Any], subject: str) -> Any:
        end, problem = time.monotonic() + self.timeout, "it did not come"
        while time.monotonic() < end:
            try:
                if result := test():
                    return result
            except WebKitError as error:  # the page is being replaced, or the driver starts
                problem = str(error)
            time.sleep(0.05)
        raise WebKitError(f"waited {self.timeout:g} s for {subject}: {problem}")

    def _script(self, function: str, *given: Any) -> Any:
        body = {"script": f"return ({function})(...arguments)", "args": given}
        return self._command("POST", "/execute/sync", body)

    def _element(self, selector: str) -> str:
        body = {"using": "css selector", "value": selector}
        found = self._wait(lambda: self._command("POST", "/element", body), selector)
        return f"/element/{next(iter(found.values()))}"

    @property
    def url(self) -> str:
        return str(self._command("GET", "/url"))

    def goto(self, url: str) -> None:
        self._command("POST", "/url", {"url": url})

    def reload(self) -> None:
        self._command("POST", "/refresh")

    def go_back(self) -> None:
        self._command("POST", "/back")

    def evaluate(self, function: str, *given: Any) -> Any:
        """Return the result of a JavaScript function of these arguments."""
        return self._script(function, *given)

    def screenshot(self) -> bytes:
        """Return the visible part of the page as PNG."""
        return base64.b64decode(self._command("GET", "/screenshot"))

    def set_viewport_size(self, size: dict[str, int]) -> None:
        self._command("POST", "/window/rect", {"x": 0, "y": 0, **size})

    def wait_for_timeout(self, milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)

    def content(self) -> str:
        return str(self._command("GET", "/source"))

    def click(self, selector: str) -> None:
        self._command("POST", f"{self._element(selector)}/click")

    def fill(self, selector: str, text: str) -> None:
        element = self._element(selector)
        self._command("POST", f"{element}/clear")
        self._command("POST", f"{element}/value", {"text": text})

    def input_value(self, selector: str) -> str:
        self._element(selector)
        return str(self._script("css => document.querySelector(css).value", selector))

    def is_checked(self, selector: str) -> bool:
        self._element(selector)
        return bool(self._script("css => document.querySelector(css).checked", selector))

    def check(self, selector: str) -> None:
        if not self.is_checked(selector):
            self.click(selector)

    def uncheck(self, selector: str) -> None:
        if self.is_checked(selector):
            self.click(selector)

    def wait_for_selector(self, selector: str) -> None:
        self._wait(lambda: self._script(SHOWN, selector), selector)
