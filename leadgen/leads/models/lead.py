"""Lead, pipeline, stage, task and note models."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from leadgen.accounts.models import Team, User
from leadgen.capture.models import Submission
from leadgen.events.models import Event
from leadgen.forms.models import Form
from leadgen.leads import conditions, lifecycle
from leadgen.leads.models.campaign import Campaign
from leadgen.leads.models.lead_indexes import LEAD_INDEXES
from leadgen.leads.models.people import Company, Contact
from leadgen.leads.querysets import LeadQuerySet, TaskQuerySet
from leadgen.lib.dates import check_moment, in_range
from leadgen.lib.search.key import SearchKey


class Pipeline(models.Model):
    name = models.CharField(max_length=80, unique=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_pipeline",
                violation_error_message=_("Another pipeline is the default."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """A step of a pipeline: the name is free text, the type decides its effect on a lead."""

    class Type(models.TextChoices):
        OPEN = "open", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=80)
    type = models.CharField(max_length=4, choices=Type.choices, default=Type.OPEN)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pipeline", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "name"], name="stage_once_per_pipeline")
        ]

    def __str__(self) -> str:
        return self.name


class Lead(models.Model):
    """One enquiry of one contact, in a pipeline, with an owner."""

    class Status(models.TextChoices):
        NEW = "new", _("New")
        ASSIGNED = "assigned", _("Assigned")
        WORKING = "working", _("Working")
        QUALIFIED = "qualified", _("Qualified")
        DISQUALIFIED = "disqualified", _("Disqualified")
        NURTURING = "nurturing", _("Nurturing")
        CONVERTED = "converted", _("Converted")

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="leads")
    company = models.ForeignKey(
        Company, models.SET_NULL, null=True, blank=True, related_name="leads"
    )
    form = models.ForeignKey(Form, models.PROTECT, null=True, blank=True, related_name="leads")
    # db_index=False: an index below begins with the same column and serves the foreign key too.
    campaign = models.ForeignKey(
        Campaign, models.SET_NULL, null=True, blank=True, related_name="leads", db_index=False
    )
    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="leads")
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="leads", db_index=False)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.NEW)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leads",
        db_index=False,
    )
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="leads", db_index=False
    )
    source = models.CharField(max_length=100, blank=True)
    medium = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)
    submissions_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    last_activity_at = models.DateTimeField(default=timezone.now)
    first_response_at = models.DateTimeField(null=True, blank=True)
    # The latest message that came after the last act of a person; an act clears it.
    new_message_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = LEAD_INDEXES

    def __str__(self) -> str:
        return str(self.contact)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_waiting(self) -> bool:
        """Whether the person waits for an answer, as in LeadQuerySet.unanswered."""
        return self.is_open and (self.first_response_at is None or self.new_message_at is not None)

    @property
    def has_new_message(self) -> bool:
        """Whether a person who was answered before waits for another answer."""
        return self.is_waiting and self.first_response_at is not None

    @property
    def latest_enquiry_at(self) -> datetime:
        """The time that orders the waiting leads: querysets.LATEST_ENQUIRY_FIRST."""
        return max(self.created_at, self.new_message_at or self.created_at)

    def enter(self, stage: Stage, now: datetime) -> None:
        """Set the stage, and status and closed_at by its type. Saves nothing."""
        self.last_activity_at = now
        self.stage = stage
        self.status = lifecycle.after_move(self.status, stage.type)
        self.closed_at = (self.closed_at or now) if lifecycle.closes(stage.type) else None

    def set_owner(self, owner: User | None) -> None:
        """Set the owner and the owner's team; without an owner the team stays. Saves nothing."""
        self.owner = owner
        self.team_id = owner.team_id if owner else self.team_id
        self.status = lifecycle.after_assignment(self.status, owned=owner is not None)

    def receive(self, at: datetime) -> bool:
        """Record another message; return whether none has waited. Saves nothing."""
        is_first = self.new_message_at is None
        self.new_message_at = max(self.new_message_at or at, at)
        return is_first

    def respond(self, now: datetime) -> None:
        """Record an act of a person: the first sets first_response_at. Saves nothing."""
        self.first_response_at = self.first_response_at or now
        self.new_message_at = None
        self.last_activity_at = now
        self.status = lifecycle.after_response(self.status)

    def timeline(self) -> models.QuerySet[Event]:
        """Return the lead's activities, newest first."""
        return Activity.objects.about(self).select_related("actor").order_by("-id")


class LeadSubmission(models.Model):
    """Link of a submission to its lead: each processed submission has exactly one."""

    class Reason(models.TextChoices):
        NEW = "new", _("Opened the lead")
        MATCHED = "matched", _("Same person")

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="links")
    submission = models.OneToOneField(Submission, models.PROTECT, related_name="link")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.submission_id} on lead {self.lead_id}"


class Task(models.Model):
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    due_at = models.DateTimeField(null=True, blank=True, validators=[check_moment])
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="tasks"
    )
    done_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["done_at", "due_at", "id"]
        indexes = [
            models.Index(
                fields=["owner", "due_at"], name="task_to_do", condition=conditions.TASK_OPEN
            ),
            # Covering: the leads of tasks are compared with the visible ones without the tasks.
            models.Index(
                fields=["due_at", "id"],
                include=["lead", "owner"],
                name="task_open_covering",
                condition=conditions.TASK_OPEN,
            ),
            models.Index(
                fields=["-done_at", "-id"],
                include=["lead"],
                name="task_done_covering",
                condition=conditions.TASK_DONE,
            ),
            GinIndex(OpClass(SearchKey("title"), name="gin_trgm_ops"), name="task_search_key"),
        ]
        constraints = [
            models.CheckConstraint(condition=in_range("due_at"), name="task_due_in_range")
        ]

    def __str__(self) -> str:
        return self.title


class Note(models.Model):
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="notes")
    body = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.body[:80]


class Activity(Event):
    """An event as an item of the timeline; proxy, so that nothing is stored twice (ADR 0006)."""

    class Meta:
        proxy = True
        verbose_name_plural = _("activities")
