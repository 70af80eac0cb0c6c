"""HTML from plain values: the one place where the hosted page escapes."""

from html import escape


def text(value: str) -> str:
    """Return a value as HTML text that is also safe in a quoted attribute."""
    return escape(value, quote=True)


def element(tag: str, content: str | None = None, /, **attributes: str | bool | None) -> str:
    """Return one element; ``content`` is HTML already, None leaves the end tag out.

    Attributes are escaped. True writes the bare name; False and None leave it out; ``class_``
    and ``aria_label`` become ``class`` and ``aria-label``.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    return f"<{tag}{written}>" + ("" if content is None else f"{content}</{tag}>")


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
