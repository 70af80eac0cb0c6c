"""User, Team and log-in counter models."""

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leadgen.accounts import roles
from leadgen.accounts.roles import Role, Visibility

EMAIL_MAX_LENGTH = 254


class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; one without a password cannot log in until a password is set."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an administrator (the name is Django's, for its createsuperuser command)."""
        return self.create_user(email, password, role=Role.ADMIN, **fields)


_WORKING = models.Q(is_active=True, role__in=roles.WORKING_ROLES)


class UserQuerySet(models.QuerySet["User"]):
    def working(self) -> "UserQuerySet":
        """Active users whose role may work leads: only they own open leads and tasks."""
        return self.filter(_WORKING)

    def not_working(self) -> "UserQuerySet":
        """Users who must own no open lead: deactivated, or of a role that only reads."""
        return self.exclude(_WORKING)

    def taking_leads(self) -> "UserQuerySet":
        """Working users to whom round robin assigns new leads."""
        return self.working().filter(takes_leads=True).order_by("id")


class User(AbstractBaseUser):
    """A person of the organisation, known by email address."""

    email = models.EmailField(
        max_length=EMAIL_MAX_LENGTH,
        unique=True,
        error_messages={"unique": "This address is taken."},
    )
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.SALES_REP)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="members")
    visibility = models.CharField(
        max_length=10,
        choices=Visibility.choices,
        blank=True,
        help_text=_("Which leads this person sees. Leave empty for what the role gives."),
    )
    takes_leads = models.BooleanField(
        _("gets new leads"),
        default=False,
        help_text=_("New leads go round robin to the people who get new leads."),
    )
    notify_by_email = models.BooleanField(_("email me about new leads"), default=True)
    time_zone = models.CharField(
        max_length=60, blank=True, help_text=_("Such as Europe/Berlin. Empty means this server's.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Deactivate instead of deleting: the history stays.")
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()
        # Some capitals, such as İ, are two characters in lower case.
        if len(self.email) > EMAIL_MAX_LENGTH:
            text = gettext("Use an address of at most %(limit)s characters.")
            raise ValidationError({"email": text % {"limit": EMAIL_MAX_LENGTH}})
        if self.time_zone and self.time_zone not in available_timezones():
            text = gettext("%(zone)s is not a time zone: write it as Europe/Berlin.")
            raise ValidationError({"time_zone": text % {"zone": self.time_zone}})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def get_full_name(self) -> str:
        """Return the name (a method that Django's packages call)."""
        return self.name

    @property
    def is_staff(self) -> bool:
        """Whether the user may log in to the workspace (Django's admin reads it)."""
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    @property
    def works_leads(self) -> bool:
        """Whether the user may own open leads and tasks, as in UserQuerySet.working."""
        return self.is_active and self.role in roles.WORKING_ROLES

    @property
    def sees(self) -> Visibility:
        """The user's own visibility, or the default of the role.

        Administrators see everything: the last one must see the leads of all who left.
        """
        if self.role == Role.ADMIN:
            return Visibility.ALL
        return Visibility(self.visibility or roles.DEFAULT_VISIBILITY[Role(self.role)])

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """Answer ``app.action_model`` from the table of roles; rows are scoped by visibility."""
        return self.is_active and roles.allows(Role(self.role), perm)

    def has_perms(self, perm_list: list[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and roles.opens(Role(self.role), app_label)


class LoginCounter(models.Model):
    """Failed log-ins of one account or one network within the window; accounts/login/limits.py.

    The key is a keyed hash: neither addresses of people nor of networks are stored.
    """

    key = models.CharField(max_length=32, primary_key=True)
    attempts = ArrayField(models.DateTimeField())
    expires_at = models.DateTimeField(db_index=True)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self) -> "NotificationQuerySet":
        """The notifications that are neither sent, dropped nor parked."""
        return self.filter(state=Notification.DeliveryState.WAITING)

    def parked(self) -> "NotificationQuerySet":
        """The notifications that were given up after the last attempt (dead-lettered)."""
        return self.filter(state=Notification.DeliveryState.PARKED)

    def due(self) -> "NotificationQuerySet":
        """The waiting notifications whose next attempt has come, by PostgreSQL's clock."""
        return self.waiting().filter(next_at__lte=Now()).order_by("next_at", "id")


class Notification(models.Model):
    """One mail to one person: what it is about, and the state of its delivery.

    ``data`` names rows by key. Subject, body and links are built at each attempt (the builders in
    leadgen/pipeline.py), so no personal data and no link to a new password is stored here.
    """

    class DeliveryState(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        # Not wanted any more: the person is inactive, the row is gone or the time has passed.
        DROPPED = "dropped", _("Dropped")
        PARKED = "parked", _("Parked")

    recipient = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    event = models.ForeignKey("events.Event", models.CASCADE, null=True, related_name="+")
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=100, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="notification_due", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["created_at"], name="notification_age"),
        ]
        constraints = [
            # A consumer that reads its events again sends no mail again.
            models.UniqueConstraint(
                fields=["event", "kind", "recipient"], name="notified_once_per_event"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_id}"
