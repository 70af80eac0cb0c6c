import math
from html.parser import HTMLParser
from typing import Any

from leadgen.forms.format.definition import Definition, FieldDefinition, Option
from leadgen.forms.format.fields import KINDS, InvalidAnswerError

OPTIONS = (Option("small", "Small"), Option("large", "Large & <wide>"))

ACCEPTED: dict[str, list[Any]] = {
    "text": ["Ada", " two  spaces ", "日本語", "\u202e", "0", "<b>", "a\tb"],
    "long_text": ["line\nline\r\nline", "x" * 10_000],
    "number": [0, -1, 12.5, 2**53 - 1, -0.0],
    "choice": ["small", "large"],
    "multiple_choice": [["small"], ["large", "small"]],
    "yes_no": [True, False],
    "date": ["2026-02-28", "0001-01-01", "2024-02-29"],
    "country": ["DE", "AX"],
    "hidden": ["campaign-7"],
    "consent": [True, False],
}
REFUSED: dict[str, list[Any]] = {
    "text": [1, True, ["x"], {}, "x" * 501, "nul\x00", "half \ud800"],
    "long_text": ["x" * 10_001, "\udfff"],
    "email": ["ada", "ada@", "@example.com", "ada@localhost", "a b@example.com", "a@b@example.com"],
    "phone": ["020 7946 0958", "+", "+1", "call me", "+999 1234567", "+44 1"],
    "number": ["1", True, math.nan, math.inf, -math.inf, 2**53, 10**400, [1]],
    "choice": ["Small", "", 0, ["small"], True],
    "multiple_choice": ["small", ["small", "small"], ["small", "medium"], [1], [None]],
    "yes_no": ["yes", 1, 0],
    "date": ["2026-02-29", "20260228", "2026-W01-1", "28.02.2026", " 2026-02-28", "２026-02-28", 1],
    "country": ["de", "DEU", "ZZ", "Germany"],
    "hidden": [7],
    "consent": ["yes", 1],
}


def ask(kind, **attributes):
    attributes.setdefault("options", OPTIONS if "choice" in kind else ())
    attributes.setdefault("wording", "I agree." if kind == "consent" else "")
    return FieldDefinition("answer", kind, "Question", **attributes)


def form_of(*fields, **texts):
    return Definition("A form", tuple(fields), **texts)


def refusal(kind, value, **attributes):
    return refusal_of(ask(kind, **attributes), value)


def refusal_of(field, value):
    try:
        KINDS[field.kind].clean(field, value)
    except InvalidAnswerError as error:
        return str(error)
    return ""


class Reader(HTMLParser):
    """What a browser would make of a page: elements, controls, and the text outside of tags."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.controls, self.text, self._open = [], [], "", []
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n"))  # as HTML's first step does
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = {name: "" if value is None else value for name, value in attrs}
        element = {"tag": tag, **attributes}
        self.elements.append(element)
        if tag in ("input", "select", "textarea"):
            self.controls.append({"options": [], "text": "", **element})
        if tag == "option":
            self.controls[-1]["options"].append(element)
        if tag == "textarea":
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._open.pop()

    def handle_data(self, data):
        if self._open:
            self.controls[-1]["text"] += data
        else:
            self.text += data

    def of(self, **wanted):
        return [e for e in self.elements if all(e.get(k) == v for k, v in wanted.items())]

    def control(self, name):
        return next(control for control in self.controls if control.get("name") == name)

    def names(self):
        return {control["name"] for control in self.controls}

    def shown(self, name):
        """What the control holds now, as it would be posted."""
        control = self.control(name)
        if control["tag"] == "textarea":
            return control["text"].removeprefix("\n")
        return control["value"]
