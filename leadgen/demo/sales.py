"""What the demo's sales people do with a lead, and when: through the verbs that pages use."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from leadgen.accounts.models import User
from leadgen.demo import texts
from leadgen.leads import services
from leadgen.leads.models import Lead, Stage, Task

Act = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A lead with whom it falls to, and how the visitor is addressed."""

    lead: Lead
    owner: User
    first_name: str


class SalesSimulator:
    """A diary of what is planned; ``times`` tells when each act would have been, in order."""

    def __init__(self, random: Random, people: list[User], stages: dict[str, Stage]) -> None:
        self._random, self._stages = random, stages
        self._people = {person.pk: person for person in people}
        self._diary: list[tuple[datetime, int, Act]] = []
        self._turn = count()
        self.times: list[datetime] = []

    def welcome(self, lead: Lead) -> None:
        """Plan how a new lead will be worked; a tenth is overlooked."""
        job = Job(lead, self._people[lead.owner_id or 0], lead.contact.name.split()[0])
        if self._random.random() > 0.1:
            self._plan(self._hours(lead.created_at, 0, 9), lambda at: self._contact(job, at))

    def work_until(self, end: datetime) -> None:
        """Do everything that is planned before this time, in order."""
        while self._diary and self._diary[0][0] < end:
            at, _, act = heapq.heappop(self._diary)
            act(at)

    def _plan(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._diary, (_working_hours(at), next(self._turn), act))

    def _hours(self, after: datetime, least: int, most: int) -> datetime:
        return after + timedelta(minutes=self._random.randint(least * 60, most * 60))

    def _contact(self, job: Job, at: datetime) -> None:
        self._say(job, texts.CALLED, at)
        self._move(job, "Contacted", at + timedelta(minutes=2))
        if self._random.random() < 0.6:
            self._task(job, at + timedelta(minutes=4))
        fits = self._random.random() < 0.72
        follow = self._qualify if fits else self._lose
        self._plan(self._hours(at, 30, 160), lambda when: follow(job, when))

    def _qualify(self, job: Job, at: datetime) -> None:
        self._say(job, texts.QUALIFYING, at)
        self._move(job, "Qualified", at + timedelta(minutes=1))
        if self._random.random() < 0.7:
            self._plan(self._hours(at, 40, 200), lambda when: self._propose(job, when))

    def _propose(self, job: Job, at: datetime) -> None:
        self._move(job, "Proposal", at)
        self._say(job, texts.PROPOSING, at + timedelta(minutes=3))
        self._task(job, at + timedelta(minutes=5))
        finish = self._win if self._random.random() < 0.6 else self._lose
        self._plan(self._hours(at, 90, 320), lambda when: finish(job, when))

    def _win(self, job: Job, at: datetime) -> None:
        self._say(job, texts.WON, at)
        self._move(job, "Won", at + timedelta(minutes=1))

    def _lose(self, job: Job, at: datetime) -> None:
        self._say(job, texts.LOST, at)
        self._move(job, "Lost", at + timedelta(minutes=1))

    def _say(self, job: Job, sentences: tuple[str, ...], at: datetime) -> None:
        services.add_note(job.lead, self._worded(job, sentences), actor=job.owner)
        self.times.append(at)

    def _move(self, job: Job, stage: str, at: datetime) -> None:
        services.move(job.lead, self._stages[stage], actor=job.owner)
        self.times.append(at)

    def _task(self, job: Job, at: datetime) -> None:
        due = _working_hours(self._hours(at, 20, 120)).replace(minute=0)
        title = self._worded(job, texts.TASKS)
        task = services.add_task(job.lead, title, due_at=due, owner=None, actor=job.owner)
        self.times.append(at)
        if self._random.random() < 0.9:
            done = max(at, due - timedelta(hours=self._random.randint(0, 3)))
            self._plan(done, lambda when: self._complete(job, task, when))

    def _complete(self, job: Job, task: Task, at: datetime) -> None:
        services.complete_task(task, actor=job.owner)
        self.times.append(at)

    def _worded(self, job: Job, sentences: tuple[str, ...]) -> str:
        return self._random.choice(sentences).format(first=job.first_name)


def _working_hours(at: datetime) -> datetime:
    """Return the same time, or the next working morning for evenings and weekends."""
    if at.hour >= 18:
        at = at.replace(hour=9) + timedelta(days=1)
    if at.hour < 9:
        at = at.replace(hour=9)
    return at + timedelta(days=max(0, 7 - at.weekday())) if at.weekday() > 4 else at
