"""Simulation of visitors: their submissions and origins, from a seeded random generator."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from leadgen.capture.consents import consents_in
from leadgen.capture.models import Submission
from leadgen.capture.reasons import ReviewReason
from leadgen.demo import texts
from leadgen.forms.format.definition import Definition
from leadgen.forms.models import Form

_SITE = "https://www.example.com"
# Weight and last touch of each origin.
_TOUCHES: list[tuple[int, dict[str, Any]]] = [
    (26, {"utm": {"source": "google", "medium": "cpc", "campaign": "autumn-launch",
                  "term": "lead management"}, "click_ids": {"gclid": "demo-gclid-{n}"}}),
    (22, {"referrer": "https://www.google.com/"}),
    (14, {"utm": {"source": "linkedin", "medium": "paid-social", "campaign": "open-house"},
          "click_ids": {"li_fat_id": "demo-li-{n}"}, "referrer": "https://www.linkedin.com/"}),
    (12, {"utm": {"source": "newsletter", "medium": "email", "campaign": "open-house",
                  "content": "header-button"}}),
    (14, {}),
    (8, {"referrer": "https://partner.example.org/recommended"}),
    (4, {"utm": {"source": "bing", "medium": "cpc", "campaign": "autumn-launch"},
         "click_ids": {"msclkid": "demo-msclkid-{n}"}}),
]  # fmt: skip
_PAGES = {
    "contact": ("/pricing", "/contact", "/features"),
    "demo-request": ("/demo", "/features", "/compare"),
    "event-signup": ("/events/open-house",),
}
# Visits a day, Monday first: few at the weekend, as usual for business forms.
_VISITS_BY_WEEKDAY = (5, 6, 5, 4, 3, 1, 1)
_QUARANTINED = [
    (ReviewReason.HONEYPOT, "Boost your ranking today, first page guaranteed"),
    (ReviewReason.HONEYPOT, "You have won, claim within 24 hours"),
    (ReviewReason.TOO_FAST, "hello hello hello"),
    (ReviewReason.TOO_MANY_LINKS, "https://a.example https://b.example https://c.example https://d.example"),
    (ReviewReason.TOO_MANY_LINKS, "Four links to our partners' pages, please read them all"),
    (ReviewReason.DISPOSABLE_ADDRESS, "Is there a free plan? Just looking."),
    (ReviewReason.FLOOD, "test test test"),
    (ReviewReason.TOO_FAST, "Interested, please call me about your enterprise offer."),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visitor:
    number: int
    name: str
    company: str

    @property
    def email(self) -> str:
        host = "".join(c for c in self.company.lower() if c.isalpha())
        return f"{self.name.lower().replace(' ', '.')}@{host}.example.com"

    @property
    def phone(self) -> str:
        # Ofcom reserves 020 7946 0000 to 0999 for drama use.
        return f"+44 20 7946 0{self.number:03}"


class VisitorSimulator:
    """Visits day by day; some visitors return."""

    def __init__(self, random: Random, forms: list[Form]) -> None:
        self._random = random
        self._forms = {form.slug: form for form in forms}
        self._seen: list[Visitor] = []

    def visits(self, day: datetime) -> list[Submission]:
        """Return the waiting submissions of one day in order of receipt."""
        count = max(0, _VISITS_BY_WEEKDAY[day.weekday()] + self._random.randint(-1, 1))
        times = sorted(day + timedelta(minutes=self._random.randint(7 * 60, 19 * 60))
                       for _ in range(count))  # fmt: skip
        return [*self._returning(day), *(self._visit(self._new_visitor(), at) for at in times)]

    def latest(self, now: datetime) -> list[Submission]:
        """Return five submissions of the last hours, at any time of day."""
        ages = (260, 150, 95, 41, 12)
        return [self._visit(self._new_visitor(), now - timedelta(minutes=age)) for age in ages]

    def quarantined(self, now: datetime) -> list[Submission]:
        """Return quarantined submissions with the usual reasons of screening."""
        return [
            self._visit(self._new_visitor(), now - timedelta(hours=31 * number + 5), "contact",
                        text, state=Submission.State.QUARANTINED, reasons=[reason.value])
            for number, (reason, text) in enumerate(_QUARANTINED)
        ]  # fmt: skip

    def parked(self, now: datetime) -> Submission:
        """Return one parked (dead-lettered) submission."""
        return self._visit(
            self._new_visitor(), now - timedelta(hours=20), "contact", texts.QUESTIONS[3],
            attempts=5, parked_at=now - timedelta(hours=19),
            last_error="OperationalError: canceling statement due to statement timeout",
        )  # fmt: skip

    def _returning(self, day: datetime) -> Iterator[Submission]:
        # Before working hours, so that the timelines stay in order.
        if self._seen and self._random.random() < 0.3:
            visitor = self._random.choice(self._seen[-40:])
            text = self._random.choice(texts.SECOND_THOUGHTS)
            yield self._visit(visitor, day + timedelta(hours=6, minutes=30), "contact", text)

    def _new_visitor(self) -> Visitor:
        number = len(self._seen)
        first = texts.FIRST_NAMES[number % len(texts.FIRST_NAMES)]
        last = texts.LAST_NAMES[(number * 7 + number // 30) % len(texts.LAST_NAMES)]
        visitor = Visitor(number, f"{first} {last}", self._random.choice(texts.COMPANIES))
        self._seen.append(visitor)
        return visitor

    def _visit(
        self, visitor: Visitor, at: datetime, slug: str = "", text: str = "", **fields: Any
    ) -> Submission:
        slug = slug or self._random.choices(list(self._forms), (5, 3, 2))[0]
        form = self._forms[slug]
        assert form.published  # noqa: S101 - published by create_forms
        definition = form.published.read()
        answers = self._answers(definition, visitor, text)
        return Submission(
            form=form,
            version=form.published,
            raw=answers,
            answers=answers,
            context=self._context(visitor, slug, at),
            consents=consents_in(definition, answers, at),
            fingerprint=hashlib.sha256(f"{visitor.email} {at}".encode()).hexdigest(),
            received_at=at,
            **{"state": Submission.State.ACCEPTED, **fields},
        )

    def _answers(self, definition: Definition, visitor: Visitor, text: str) -> dict[str, Any]:
        pick, has_optional = self._random.choice, self._random.random() < 0.6
        values = {
            "name": visitor.name,
            "email": visitor.email,
            "phone": visitor.phone if has_optional else None,
            "company": visitor.company,
            "job_title": pick(texts.JOB_TITLES),
            "country": pick(texts.COUNTRIES),
            "message": text or pick(texts.QUESTIONS),
            "size": pick(["1-10", "11-50", "51-250"]),
            "topics": self._random.sample(["capture", "sales", "reports", "security"], k=2),
            "seats": self._random.randint(1, 3),
            "vegetarian": has_optional,
            "consent": True,
            "news": has_optional,
        }
        names = (field.name for field in definition.fields)
        return {name: values[name] for name in names if values[name] is not None}

    def _context(self, visitor: Visitor, slug: str, at: datetime) -> dict[str, Any]:
        touch = self._random.choices([t for _, t in _TOUCHES], [w for w, _ in _TOUCHES])[0]
        click_ids = {key: value.format(n=visitor.number)
                   for key, value in touch.get("click_ids", {}).items()}  # fmt: skip
        page = _SITE + self._random.choice(_PAGES[slug])
        context = {
            **touch,
            "channel": "hosted",
            "page_url": page,
            "landing_page": page,
            "elapsed_ms": self._random.randint(25_000, 240_000),
            "language": "en",
            **({"click_ids": click_ids} if click_ids else {}),
        }
        if self._random.random() < 0.4:
            context["first_touch"] = self._first_touch(at)
        return context

    def _first_touch(self, at: datetime) -> dict[str, Any]:
        before = at - timedelta(days=self._random.randint(1, 20))
        referrer = self._random.choice(["https://www.google.com/", "https://news.example.org/"])
        return {"at": before.isoformat(), "page_url": f"{_SITE}/blog", "referrer": referrer}
