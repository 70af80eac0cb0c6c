"""Forms that write only what the reader changed, and refuse what two people changed differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.models import ModelChoiceField
from django.utils.translation import gettext

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class ConflictForm(_ModelForm):
    """A form whose page carries the values that it showed, in Django's hidden initial fields.

    A field whose value is still the one that was shown keeps the value of the table. A field that
    was changed here and in the table, to another value, is refused with both values; the next save
    overwrites knowingly. A post without hidden fields is compared with the table only.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.show_hidden_initial = bool(self.instance.pk) and self._carries(name)

    def clean(self) -> dict[str, Any] | None:
        super().clean()
        if self.instance.pk:
            self._compare_with_table()
        return self.cleaned_data

    def _compare_with_table(self) -> None:
        rows = type(self.instance)._base_manager.select_for_update(no_key=True)
        stored = rows.filter(pk=self.instance.pk).first()
        if stored is None:
            text = gettext("This %(row)s was deleted in the meantime.")
            self.add_error(None, text % {"row": self.instance._meta.verbose_name})
            return
        fresh = type(self)(instance=stored)
        for name in [name for name in self.fields if self._carries(name)]:
            if name not in self.changed_data:
                self._keep(name, stored)
            elif self._is_conflict(name, fresh):
                self._refuse(name, fresh)

    def _carries(self, name: str) -> bool:
        """Return whether the page has, or the post sent, the value of the field as it was shown."""
        if not self.is_bound:
            return True
        widget = self.fields[name].hidden_widget()
        shown = self.add_initial_prefix(name)
        return not widget.value_omitted_from_data(self.data, self.files, shown)

    def _keep(self, name: str, stored: Any) -> None:
        """Write the stored value back, so that saving the instance changes nothing of the field."""
        if name in self.cleaned_data and hasattr(stored, name):
            self.cleaned_data[name] = getattr(stored, name)

    def _is_conflict(self, name: str, fresh: ConflictForm) -> bool:
        field, bound = self.fields[name], fresh[name]
        value = fresh.get_initial_for_field(field, name)
        prefix = self.add_initial_prefix(name)
        shown = field.hidden_widget().value_from_datadict(self.data, self.files, prefix)
        return all(_differs(bound.field, value, raw) for raw in (shown, self[name].data))

    def _refuse(self, name: str, fresh: ConflictForm) -> None:
        typed = self.cleaned_data.get(name)
        value = fresh.get_initial_for_field(self.fields[name], name)
        text = gettext(
            "This was changed to “%(stored)s” while the page was open; you entered “%(typed)s”. "
            "Save again to keep yours."
        )
        field = self.fields[name]
        words = {"stored": _in_words(field, value), "typed": _in_words(field, typed)}
        self._show_as_initial(name, fresh)
        self.add_error(name, text % words)

    def _show_as_initial(self, name: str, fresh: ConflictForm) -> None:
        """Send the stored value with the page of the refusal, so that a second save passes."""
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
        widget: Any = self.fields[name].hidden_widget()
        prefix, value = self.add_initial_prefix(name), fresh[name].value()
        if isinstance(widget, forms.MultiWidget):
            values = widget.decompress(value) or [None] * len(widget.widgets)
            suffixes = widget.widgets_names  # type: ignore[attr-defined]  # the stubs lack it
            parts = list(zip(suffixes, widget.widgets, values, strict=True))
        else:
            parts = [("", widget, value)]
        for suffix, part, each in parts:
            data[prefix + suffix] = part.format_value(each) or ""
        self.data = data


def _differs(field: forms.Field, value: Any, raw: Any) -> bool:
    if isinstance(value, str) and isinstance(raw, str):
        return _plain(value) != _plain(raw)
    return field.has_changed(value, raw)


def _plain(text: str) -> str:
    # Browsers send line breaks as two characters.
    return text.replace("\r\n", "\n").strip()


def _in_words(field: forms.Field, value: Any) -> str:
    """Return a value as the page shows it."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(field, ModelChoiceField):
        row = field.to_python(value) if value and not hasattr(value, "pk") else value
        return str(row or gettext("nothing"))
    choices = dict(getattr(field, "choices", ()))
    return str(choices.get(value, value) or gettext("nothing"))
