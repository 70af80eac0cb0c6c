"""Forms of pages that may be older than their rows: merge the edits of colleagues, never undo them.

Each field is sent together with the value that its page showed (Django's ``show_hidden_initial``).
A field that the reader left alone keeps its stored value. A field that was changed to
another value in the meantime is refused once, with both values.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME, INITIAL_FORM_COUNT
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import gettext

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
    _InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    _ModelForm, _InlineFormSet = forms.ModelForm, forms.BaseInlineFormSet

# A drag sets the positions of many rows; the last order of two is as good as the first.
_LAST_WINS = frozenset({"position"})
_MAX_SHOWN = 200


class ConcurrentEditForm(_ModelForm):
    """Form of a saved row that writes only the fields which the reader changed on the page."""

    data: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in self._compared():
            field, shown = self.fields[name], self[name].html_initial_name
            field.show_hidden_initial = not self.is_bound or self._was_sent(field, shown)
            if self.is_bound and isinstance(field, forms.MultiValueField):
                # Django looks for this key, which several inputs do not have, and would else show
                # the typed value as the former one.
                self._send({shown: ""})

    @cached_property
    def changed_data(self) -> list[str]:
        """Return the names of the fields whose value differs from the one that the page showed."""
        return [name for name in self.fields if self._has_changed(name)]

    def _has_changed(self, name: str) -> bool:
        try:
            return bool(self[name]._has_changed())  # type: ignore[attr-defined]  # the stubs lack it
        except ArithmeticError:  # decimal compares no signalling NaN
            return True

    def _compared(self) -> list[str]:
        if self.instance.pk is None:
            return []
        return [
            name
            for name, field in self.fields.items()
            if name in self.initial
            and not field.disabled
            and not isinstance(field, forms.models.InlineForeignKeyField)
        ]

    def _was_sent(self, field: forms.Field, shown: str) -> bool:
        return not field.hidden_widget().value_omitted_from_data(self.data, self.files, shown)

    def _post_clean(self) -> None:
        for name in self._compared():
            if name not in self.changed_data:
                self.cleaned_data[name] = self._stored(name)
                self.errors.pop(name, None)
            elif self._is_changed_by_both(name):
                self._refuse(name)
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out

    def _stored(self, name: str) -> Any:
        fields = {field.name for field in self.instance._meta.fields}
        return getattr(self.instance, name) if name in fields else self.initial[name]

    def _is_changed_by_both(self, name: str) -> bool:
        field, bound = self.fields[name], self[name]
        if name in _LAST_WINS or not field.show_hidden_initial or name not in self.cleaned_data:
            return False
        widget = field.hidden_widget()
        shown = widget.value_from_datadict(self.data, self.files, bound.html_initial_name)
        return _differs(field, bound.initial, shown) and _differs(field, bound.initial, bound.data)

    def _refuse(self, name: str) -> None:
        text = gettext(
            "This was changed to “%(theirs)s” while this page was open. Save again to replace it "
            "by “%(mine)s”, or enter what is right."
        )
        field, theirs, mine = self.fields[name], self._stored(name), self.cleaned_data[name]
        values = {"theirs": _in_words(field, theirs), "mine": _in_words(field, mine)}
        self.add_error(name, ValidationError(text % values, code="changed_by_both"))
        self._send(_hidden_values(field, self[name].html_initial_name, self[name].initial))

    def _send(self, values: dict[str, Any]) -> None:
        """Replace posted values of this form; the page that answers is made from them."""
        self.data = self.data.copy()
        self.data.update(values)


class ConcurrentEditFormSet(_InlineFormSet):
    """Formset of the rows of one row: a row that a colleague removed is named and offered as new.

    Django reports such a row at its hidden key, where no page shows it.
    """

    data: Any
    prefix: str

    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        super().__init__(data, *args, **options)
        self._removed: list[str] = []
        if self.is_bound and self.management_form.is_valid():
            self._offer_removed_rows_again()

    def clean(self) -> None:
        super().clean()
        self._refuse_names_of_added_rows()
        if self._removed:
            text = gettext(
                "“%(row)s” was removed while this page was open. Remove it here too, or save again "
                "to add it anew."
            )
            raise ValidationError([text % {"row": name} for name in self._removed])

    def _refuse_names_of_added_rows(self) -> None:
        """Refuse a name that a row got which was added while the page was open."""
        own = {form.instance.pk for form in self.forms}
        added = [row for row in self.get_queryset() if row.pk not in own]
        for name in self._unique_names() if added else ():
            taken = {getattr(row, name) for row in added}
            for form in self.forms:
                value = getattr(form, "cleaned_data", {}).get(name)
                is_deleted = self._should_delete_form(form)  # type: ignore[attr-defined]
                if value in taken and not is_deleted:
                    text = gettext("“%(name)s” was added while this page was open.")
                    form.add_error(name, text % {"name": value})

    def _unique_names(self) -> list[str]:
        """Return the fields whose values are unique among the rows of one row."""
        constraints = self.fk.model._meta.constraints
        pairs = (set(getattr(each, "fields", ())) for each in constraints)
        names = (pair - {self.fk.name} for pair in pairs if self.fk.name in pair)
        return [name for [name] in map(list, names)]

    def _offer_removed_rows_again(self) -> None:
        """Renumber the posted rows: first those that exist, then the removed and the new ones."""
        saved = range(min(int(self.initial_form_count() or 0), self._posted))
        keys = {number: self.data.get(self._name(number, "id"), "") for number in saved}
        stored = {str(row.pk) for row in self.get_queryset()}
        gone = [number for number in saved if keys[number] not in stored]
        if not gone:
            return
        first = next(iter(self.form.base_fields))
        kept = [n for n in gone if not self.data.get(self._name(n, DELETION_FIELD_NAME))]
        self._removed = [self._label(number, first) for number in kept]
        new = range(len(saved), self._posted)
        self._renumber([n for n in saved if n not in gone], [*kept, *new])

    @property
    def _posted(self) -> int:
        return int(self.total_form_count() or 0)

    def _label(self, number: int, field: str) -> str:
        posted = self._name(number, field)
        return str(self.data.get(f"initial-{posted}") or self.data.get(posted, ""))

    def _name(self, number: int, field: str) -> str:
        return f"{self.add_prefix(number)}-{field}"

    def _renumber(self, saved: list[int], new: list[int]) -> None:
        places = {old: place for place, old in enumerate([*saved, *new])}
        data = QueryDict(mutable=True)
        row = re.compile(rf"(initial-)?{re.escape(self.prefix)}-([0-9]{{1,9}})-(.+)")
        for name, values in self.data.lists():
            found = row.fullmatch(name)
            if not found:
                data.setlist(name, values)
            elif int(found[2]) in places:
                place = places[int(found[2])]
                is_dropped = place >= len(saved) and (found[1] or found[3] == "id")
                if not is_dropped:
                    data.setlist(f"{found[1] or ''}{self.prefix}-{place}-{found[3]}", values)
        data[f"{self.prefix}-{INITIAL_FORM_COUNT}"] = str(len(saved))
        data[f"{self.prefix}-TOTAL_FORMS"] = str(len(places))
        self.data = data
        vars(self).pop("management_form", None)


def concurrent(form: type[Any]) -> type[Any]:
    """Return the form class with ConcurrentEditForm among its bases."""
    if issubclass(form, ConcurrentEditForm):
        return form
    merged: type[Any] = forms.models.ModelFormMetaclass(
        form.__name__, (ConcurrentEditForm, form), {}
    )
    return merged


def _differs(field: forms.Field, stored: Any, sent: Any) -> bool:
    try:
        return field.has_changed(_unix_lines(stored), _unix_lines(sent))
    except ArithmeticError:  # decimal compares no signalling NaN
        return True


def _unix_lines(value: Any) -> Any:
    # Browsers send line ends as CRLF; programs may have stored LF.
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _hidden_values(field: forms.Field, name: str, value: Any) -> dict[str, Any]:
    """Return the values of the hidden inputs of a field."""
    widget = field.hidden_widget()
    if not isinstance(widget, forms.MultiWidget):
        return {name: widget.format_value(field.prepare_value(value)) or ""}
    parts = zip(widget.widgets, widget.decompress(value) or (), strict=True)
    return {f"{name}_{n}": each.format_value(part) or "" for n, (each, part) in enumerate(parts)}


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(value, datetime):
        return date_format(localtime(value), "DATETIME_FORMAT")
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    labels: Any = field.choices if isinstance(field, forms.TypedChoiceField) else ()
    text = str(dict(labels).get(value, "" if value is None else value))
    return Truncator(text).chars(_MAX_SHOWN) or gettext("(empty)")
