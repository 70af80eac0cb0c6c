"""HTML elements from plain values, with escaping."""

from html import escape


def text(value: str) -> str:
    """Return a value as HTML text that is also safe in a quoted attribute."""
    return escape(value, quote=True)


def element(tag: str, content: str | None = None, /, **attributes: str | bool | None) -> str:
    """Return one element; ``content`` is escaped HTML, None omits the end tag.

    Attribute values are escaped. True writes the name alone; False and None omit the attribute;
    ``class_`` and ``aria_label`` become ``class`` and ``aria-label``.
    """
    written_attributes = "".join(_attribute(name, value) for name, value in attributes.items())
    return f"<{tag}{written_attributes}>" + ("" if content is None else f"{content}</{tag}>")


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
