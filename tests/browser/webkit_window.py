"""A bare WebKitGTK window for WebKitWebDriver, which starts it with Debian's own Python.

MiniBrowser, the usual target, has no switch for JavaScript.
"""

import ctypes
import json
import os
import signal

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, WebKit2  # noqa: E402

OPTIONS = json.loads(os.environ["WEBKIT_WINDOW"])


def open_view(context):
    """Open a page in a window of its own; the process ends with it."""
    settings = WebKit2.Settings(enable_javascript=OPTIONS["javascript"])
    view = WebKit2.WebView(settings=settings, is_controlled_by_automation=True, web_context=context)
    window = Gtk.Window(decorated=False, default_width=1280, default_height=900, child=view)
    view.connect("close", lambda _: window.destroy())
    window.connect("destroy", Gtk.main_quit)
    window.show_all()
    window.get_window().focus(0)  # there is no window manager that would
    view.grab_focus()
    return view


ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: end with the driver
folder = OPTIONS["profile"]
data = WebKit2.WebsiteDataManager(
    base_data_directory=f"{folder}/data", base_cache_directory=f"{folder}/cache"
)
context = WebKit2.WebContext.new_with_website_data_manager(data)
context.set_automation_allowed(True)
context.connect(
    "automation-started",
    lambda _, session: session.connect("create-web-view", lambda *_: open_view(context)),
)
GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, Gtk.main_quit)
Gtk.main()
