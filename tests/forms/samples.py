from html.parser import HTMLParser

from leadgen.forms.definition import Definition, Field, Option
from leadgen.forms.fields import KINDS, InvalidAnswerError

OPTIONS = (Option("small", "Small"), Option("large", "Large & <wide>"))


def ask(kind, **attributes):
    attributes.setdefault("options", OPTIONS if "choice" in kind else ())
    attributes.setdefault("wording", "I agree." if kind == "consent" else "")
    return Field("answer", kind, "Question", **attributes)


def form_of(*fields, **texts):
    return Definition("A form", tuple(fields), **texts)


def refusal(kind, value, **attributes):
    try:
        KINDS[kind].clean(ask(kind, **attributes), value)
    except InvalidAnswerError as error:
        return str(error)
    return ""


class Reader(HTMLParser):
    """What a browser would make of a page: elements, controls, and the text outside of tags."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.controls, self.text, self._open = [], [], "", []
        self.feed(page)
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
