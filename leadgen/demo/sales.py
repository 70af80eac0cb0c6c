"""Simulation of sales representatives: acts on leads through the verbs that pages use."""

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
    """A lead with its owner and the first name of its contact."""

    lead: Lead
    owner: User
    first_name: str


class SalesSimulator:
    """A queue of planned acts; ``times`` are the simulated times of the acts done, in order."""

    def __init__(self, random: Random, people: list[User], stages: dict[str, Stage]) -> None:
        self._random, self._stages = random, stages
        self._people = {person.pk: person for person in people}
        self._queue: list[tuple[datetime, int, Act]] = []
        self._sequence = count()
        self.times: list[datetime] = []

    def plan_first_contact(self, lead: Lead) -> None:
        """Plan the first contact with a new lead; a tenth of the leads get none."""
        job = Job(lead, self._people[lead.owner_id or 0], lead.contact.name.split()[0])
        if self._random.random() > 0.1:
            self._plan(self._hours(lead.created_at, 0, 9), lambda at: self._contact(job, at))

    def work_until(self, end: datetime) -> None:
        """Perform all acts planned before this time, in order."""
        while self._queue and self._queue[0][0] < end:
            at, _, act = heapq.heappop(self._queue)
            act(at)

    def _plan(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._queue, (_working_hours(at), next(self._sequence), act))

    def _hours(self, after: datetime, least: int, most: int) -> datetime:
        return after + timedelta(minutes=self._random.randint(least * 60, most * 60))

    def _contact(self, job: Job, at: datetime) -> None:
        self._add_note(job, texts.CALLED, at)
        self._move(job, "Contacted", at + timedelta(minutes=2))
        if self._random.random() < 0.6:
            self._add_task(job, at + timedelta(minutes=4))
        fits = self._random.random() < 0.72
        follow = self._qualify if fits else self._lose
        self._plan(self._hours(at, 30, 160), lambda when: follow(job, when))

    def _qualify(self, job: Job, at: datetime) -> None:
        self._add_note(job, texts.QUALIFYING, at)
        self._move(job, "Qualified", at + timedelta(minutes=1))
        if self._random.random() < 0.7:
            self._plan(self._hours(at, 40, 200), lambda when: self._propose(job, when))

    def _propose(self, job: Job, at: datetime) -> None:
        self._move(job, "Proposal", at)
        self._add_note(job, texts.PROPOSING, at + timedelta(minutes=3))
        self._add_task(job, at + timedelta(minutes=5))
        finish = self._win if self._random.random() < 0.6 else self._lose
        self._plan(self._hours(at, 90, 320), lambda when: finish(job, when))

    def _win(self, job: Job, at: datetime) -> None:
        self._add_note(job, texts.WON, at)
        self._move(job, "Won", at + timedelta(minutes=1))

    def _lose(self, job: Job, at: datetime) -> None:
        self._add_note(job, texts.LOST, at)
        self._move(job, "Lost", at + timedelta(minutes=1))

    def _add_note(self, job: Job, sentences: tuple[str, ...], at: datetime) -> None:
        services.add_note(job.lead, self._choose_text(job, sentences), actor=job.owner)
        self.times.append(at)

    def _move(self, job: Job, stage: str, at: datetime) -> None:
        services.move(job.lead, self._stages[stage], actor=job.owner)
        self.times.append(at)

    def _add_task(self, job: Job, at: datetime) -> None:
        due = _working_hours(self._hours(at, 20, 120)).replace(minute=0)
        title = self._choose_text(job, texts.TASKS)
        task = services.add_task(job.lead, title, due_at=due, owner=None, actor=job.owner)
        self.times.append(at)
        if self._random.random() < 0.9:
            done = max(at, due - timedelta(hours=self._random.randint(0, 3)))
            self._plan(done, lambda when: self._complete(job, task, when))

    def _complete(self, job: Job, task: Task, at: datetime) -> None:
        services.complete_task(task, actor=job.owner)
        self.times.append(at)

    def _choose_text(self, job: Job, sentences: tuple[str, ...]) -> str:
        return self._random.choice(sentences).format(first=job.first_name)


def _working_hours(at: datetime) -> datetime:
    """Return the same time, or the next working morning for evenings and weekends."""
    if at.hour >= 18:
        at = at.replace(hour=9) + timedelta(days=1)
    if at.hour < 9:
        at = at.replace(hour=9)
    return at + timedelta(days=max(0, 7 - at.weekday())) if at.weekday() > 4 else at
