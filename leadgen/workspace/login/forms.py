"""Forms that check a password: log-in, and the change of one's own password."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from unfold.forms import AdminOwnPasswordChangeForm

# Longer than any phrase; a body may hold megabytes, and each pass of a hash reads all of them.
_MAX_PASSWORD_LENGTH = 4096


class LoginForm(AllauthLoginForm):  # type: ignore[misc]  # allauth has no types
    """allauth's form with bounded input; its adapter counts the attempt and checks the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].validators.append(MaxLengthValidator(_MAX_PASSWORD_LENGTH))


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]  # unfold has no types
    """Form to change one's own password; the old one is checked under the limits of a log-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].validators.append(MaxLengthValidator(_MAX_PASSWORD_LENGTH))

    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        if get_adapter().reauthenticate(self.user, password):
            return password
        message = self.error_messages["password_incorrect"]
        raise ValidationError(message, code="password_incorrect")
