"""The controls of a page's forms, as a browser would post them."""

from html.parser import HTMLParser


class Controls(HTMLParser):
    """Parse what a browser posts of a page's forms: values by name, and each control's kind."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self._open = self._select = ""
        self.feed(page)
        for name in ("csrfmiddlewaretoken", "q", "action", "select_across"):
            self.values.pop(name, None)

    def handle_starttag(self, tag, attrs):
        has = {name: value or "" for name, value in attrs}
        name = has.get("name", "")
        if tag == "input" and name:
            self._input(name, has.get("type", "text"), has)
        elif tag == "textarea" and name:
            self._open, self.values[name] = name, ""
        elif tag == "select":
            self._select = name
            self.values.setdefault(name, "")
            self.kinds[name] = "choice"
        elif tag == "option" and "selected" in has:
            self.values[self._select] = has.get("value", "")

    def _input(self, name, kind, has):
        if kind in ("checkbox", "radio"):
            if "checked" in has:
                self.values[name] = has.get("value", "on")
        elif kind not in ("submit", "button", "file"):
            self.values[name] = has.get("value", "")
            self.kinds[name] = kind_of(name, kind, has.get("class", ""))

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._open = ""

    def handle_data(self, data):
        if self._open:
            self.values[self._open] += data.removeprefix("\n")

    def fields(self):
        """Names to try: of several lines of an inline the first, and no bookkeeping."""
        for name in self.values:
            bookkeeping = name.endswith(("_FORMS", "-id", "-form", "-pipeline", "-DELETE"))
            if not (bookkeeping or "__prefix__" in name or "-1-" in name or "-2-" in name):
                yield name, self.kinds.get(name, "text")


def kind_of(name, kind, look):
    if "vDate" in look or "vTime" in look or kind in ("date", "time", "datetime-local"):
        return "date"
    is_number = kind == "number" or "Integer" in look or name.endswith(("position", "budget"))
    return "number" if is_number else "text"
