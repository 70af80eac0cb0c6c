"""A machine of random histories: people, leads and tasks change; all open work stays in sight."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from leadgen.accounts import services as accounts
from leadgen.accounts.models import Team, User
from leadgen.accounts.roles import Role, Visibility
from leadgen.accounts.visibility import visible
from leadgen.capture import services as capture
from leadgen.capture.models import Submission
from leadgen.leads import bulk_services, services
from leadgen.leads.intake.batches import drain
from leadgen.leads.models import Lead, Stage, Task
from leadgen.leads.ownership import person_services
from leadgen.leads.ownership.person_services import Rule
from leadgen.leads.querysets import LATEST_ENQUIRY_FIRST
from leadgen.leads.visibility import owners_for, sees
from leadgen.workspace.home import numbers, sections, tiles
from leadgen.workspace.leads.filters import LeadViews
from leadgen.workspace.task_list import TaskViews
from tests.factories import make_form, make_pipeline, make_submission, make_team, make_user

PICK = st.integers(0, 10**6)
WRITERS = st.integers(0, 3)
ROLES = st.sampled_from(list(Role))
SIGHTS = st.sampled_from(["", *Visibility])
VIEWS = {Lead: LeadViews.views, Task: TaskViews.views}


def rows(model: Any, view: str, user: User) -> Any:
    """The rows of a tab of a list, as the list page narrows them."""
    return VIEWS[model][view][1](visible(model, user), user)


def keys(model: Any, view: str, user: User) -> set[int]:
    return set(rows(model, view, user).order_by().values_list("pk", flat=True))


class Lists:
    """The keys in the tabs of one person's lists, each read once."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._keys: dict[tuple[str, str], set[int]] = {}

    def __getitem__(self, tab: tuple[str, str]) -> set[int]:
        if tab not in self._keys:
            self._keys[tab] = keys({"lead": Lead, "task": Task}[tab[0]], tab[1], self.user)
        return self._keys[tab]


class Sight(RuleBasedStateMachine):
    """Each act is a verb that a page calls; what a verb refuses changes nothing."""

    steps_seen = 0

    def __init__(self) -> None:
        super().__init__()
        self.history = transaction.atomic()
        self.history.__enter__()
        self.steps = 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('leads_turn', 1)")

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.history.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        make_pipeline()
        self.form = make_form()
        self.teams = [make_team(), make_team()]
        self.boss = make_user(Role.ADMIN)
        make_user(Role.SALES_MANAGER, team=self.teams[0])
        make_user(Role.SALES_MANAGER, team=self.teams[1])
        make_user(team=self.teams[0], takes_leads=True)
        make_user(team=self.teams[1], takes_leads=True)

    # People.

    @rule(role=ROLES, team=st.integers(0, 2), takes=st.booleans())
    def come(self, role: Role, team: int, takes: bool) -> None:
        if User.objects.count() > 7:
            return
        user = User(email=f"p{User.objects.count()}-{self.steps}@example.com", name="P", role=role)
        user.team, user.takes_leads = self._team(team), takes
        self._try(lambda: accounts.add_user(user, actor=self.boss))

    @rule(who=PICK, team=st.integers(0, 2), where=PICK)
    def change_team(self, who: int, team: int, where: int) -> None:
        self._change(who, {"team": self._team(team)}, where)

    @rule(who=PICK, active=st.booleans(), where=PICK)
    def leave_or_return(self, who: int, active: bool, where: int) -> None:
        self._change(who, {"is_active": active}, where)

    @rule(who=PICK, role=ROLES, where=PICK)
    def change_role(self, who: int, role: Role, where: int) -> None:
        self._change(who, {"role": role}, where)

    @rule(who=PICK, sight=SIGHTS, takes=st.booleans())
    def change_sight(self, who: int, sight: str, takes: bool) -> None:
        self._change(who, {"visibility": sight, "takes_leads": takes}, 0)

    def _change(self, who: int, values: dict[str, Any], where: int) -> None:
        user = self._one(User.objects.order_by("pk"), who)
        choices = [*Rule, *User.objects.order_by("pk")]
        chosen = choices[where % len(choices)]
        self._try(
            lambda: person_services.update_person(user, values, destination=chosen, actor=self.boss)
        )

    # Submissions.

    @rule(writer=WRITERS)
    def send(self, writer: int) -> None:
        before = {lead.pk: lead for lead in Lead.objects.open()}
        self._submit(writer)
        drain()
        self._at_front(before)

    @rule(writer=WRITERS, days=st.integers(0, 80))
    def hold(self, writer: int, days: int) -> None:
        received = timezone.now() - timedelta(days=days)
        self._submit(writer, state="quarantined", reasons=["honeypot"], received_at=received)

    @rule(which=PICK)
    def release(self, which: int) -> None:
        if not (held := self._one(Submission.objects.quarantined().order_by("pk"), which)):
            return
        before = {lead.pk: lead for lead in Lead.objects.open()}
        capture.release(held, actor=self.boss)
        drain()
        self._at_front(before)

    def _submit(self, writer: int, **fields: Any) -> None:
        answers = {"name": f"Writer {writer}", "email": f"writer{writer}@example.com"}
        make_submission(self.form, answers=answers, **fields)

    def _at_front(self, before: dict[int, Lead]) -> None:
        """The lead of an enquiry waits, and is the first of those that wait."""
        for lead in Lead.objects.open():
            if lead.pk in before and lead.submissions_count == before[lead.pk].submissions_count:
                continue
            waiting = Lead.objects.unanswered().order_by(*LATEST_ENQUIRY_FIRST)
            assert lead.is_waiting
            assert waiting.first() == lead

    # Work: by a person who sees the lead, as the pages make sure.

    @rule(who=PICK, which=PICK)
    def answer(self, who: int, which: int) -> None:
        if found := self._lead(who, which):
            services.add_note(found[1], "Called", actor=found[0])

    @rule(who=PICK, which=PICK, stage=PICK)
    def move(self, who: int, which: int, stage: int) -> None:
        if found := self._lead(who, which):
            to = self._one(Stage.objects.order_by("pk"), stage)
            services.move(found[1], to, actor=found[0])

    @rule(who=PICK, which=PICK, to=PICK, bulk=st.booleans())
    def assign(self, who: int, which: int, to: int, bulk: bool) -> None:
        if not (found := self._lead(who, which)):
            return
        user, lead = found
        choices = [None, *owners_for(user).order_by("pk")]
        owner = choices[to % len(choices)]
        if bulk:
            bulk_services.assign_leads([lead.pk], owner, actor=user)
        else:
            services.assign(lead, owner, actor=user)

    @rule(who=PICK, which=PICK, to=PICK)
    def add_task(self, who: int, which: int, to: int) -> None:
        if found := self._lead(who, which):
            user, lead = found
            owner = self._one(User.objects.order_by("pk"), to)
            due = timezone.now() - timedelta(days=1)
            self._try(lambda: services.add_task(lead, "Call", due_at=due, owner=owner, actor=user))

    @rule(who=PICK, which=PICK, to=PICK)
    def give_task(self, who: int, which: int, to: int) -> None:
        user = self._worker(who)
        task = self._one(rows(Task, "open", user).order_by("pk"), which)
        if task:
            choices = [None, *User.objects.order_by("pk")]
            owner = choices[to % len(choices)]
            self._try(lambda: services.assign_task(task, owner, actor=user))

    @rule(who=PICK, which=PICK)
    def tick_task(self, who: int, which: int) -> None:
        user = self._worker(who)
        if task := self._one(visible(Task, user).order_by("pk"), which):
            verb = services.reopen_task if task.done_at else services.complete_task
            verb(task, actor=user)

    # What holds after each step.

    @invariant()
    def open_work_is_in_sight(self) -> None:
        self.steps += 1
        Sight.steps_seen += 1
        active = [user for user in User.objects.select_related("team") if user.is_active]
        workers = [user for user in active if user.works_leads]
        assert any(user.role == Role.ADMIN for user in active)
        leads = list(Lead.objects.open().select_related("owner"))
        tasks = list(Task.objects.open().select_related("owner", "lead"))
        shown = {user.pk: Lists(user) for user in workers}
        for lead in leads:
            self._in_sight("lead", lead, lead, shown, workers)
        for task in tasks:
            self._in_sight("task", task, task.lead, shown, workers)
        self._numbers(active[self.steps % len(active)])

    def _in_sight(
        self, kind: str, row: Any, lead: Lead, shown: dict[int, "Lists"], workers: list[User]
    ) -> None:
        """The row is in its owner's list, or in "No owner" of each who leads the team."""
        if row.owner_id in shown:
            assert row.pk in shown[row.owner_id][kind, "mine"], (kind, row.owner)
            if kind == "lead" and lead.is_waiting:
                assert row.pk in shown[row.owner_id]["lead", "new"]
            return
        leaders = [user for user in workers if self._leads_team_of(user, lead)]
        assert any(user.role == Role.ADMIN for user in leaders)
        for user in leaders:
            assert row.pk in shown[user.pk][kind, "unowned"]
            assert sees(user, lead)

    def _leads_team_of(self, user: User, lead: Lead) -> bool:
        if user.role != Role.SALES_MANAGER:
            return bool(user.role == Role.ADMIN)
        is_of_team = lead.team_id in (None, user.team_id)
        return user.sees == Visibility.ALL or (user.sees == Visibility.TEAM and is_of_team)

    def _numbers(self, user: User) -> None:
        """Each tile with a link has the number of the rows behind it."""
        page = tiles.HomeContext(user)
        for make in sections._HOMES[Role(user.role)][0]:
            tile = make(page)
            address, _, view = tile.url.partition("?view=")
            if view and "&" not in view:  # others are of the last 30 days
                model = Task if "task" in address else Lead
                assert tile.value == f"{len(keys(model, view, user)):,}", (tile, user.role)
        leads = list(rows(Lead, "open", user).order_by())
        for stage in numbers.by_stage(page.leads, page.stages):
            in_stage = [lead for lead in leads if lead.stage_id == stage.numbers["stage"]]
            assert stage.numbers["count"] == len(in_stage)
        for row in numbers.workload(page.leads, page.tasks, owners_for(user)):
            owned = [lead for lead in leads if lead.owner_id == row.numbers["owner"]]
            assert row.numbers["open"] == len(owned)
            assert row.numbers["unanswered"] == sum(lead.is_waiting for lead in owned)

    # Choices.

    def _team(self, number: int) -> Team | None:
        return [None, *self.teams][number]

    def _one(self, choices: Any, number: int) -> Any:
        choices = list(choices)
        return choices[number % len(choices)] if choices else None

    def _worker(self, who: int) -> User:
        worker: User = self._one(User.objects.working().order_by("pk"), who)
        return worker

    def _lead(self, who: int, which: int) -> tuple[User, Lead] | None:
        user = self._worker(who)
        lead = self._one(visible(Lead, user).order_by("pk"), which)
        return (user, lead) if lead else None

    def _try(self, act: Any) -> None:
        try:
            with transaction.atomic():
                act()
        except ValidationError:
            pass
