"""One delete page or bulk act over HTTP, measured and rolled back; runs inside Django."""

import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

# What takes longer or more is stopped: its figure is not needed.
_LONGEST_SECONDS, _MOST_BYTES = 60, 3 * 1024**3
_EMAIL = "act@example.com"
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_SIZE = re.compile(r"VmRSS:\s+(\d+) kB")


def main(name: str) -> None:
    """Prepare the person who acts, or do the named act and print its figures as JSON."""
    from leadgen.accounts.models import User
    from leadgen.accounts.roles import Role
    from tests.factories import make_user

    if name == "prepare":
        make_user(Role.ADMIN, email=_EMAIL)
        return
    client = Client()
    client.force_login(User.objects.get(email=_EMAIL))
    for warm in ("admin:leads_task_changelist", "admin:leads_campaign_add"):
        client.get(reverse(warm))
    sys.stdout.write(f"\n{json.dumps(_measured(client, ACTS[name]))}\n")


def _measured(client: Client, act: Callable[[Client], Any]) -> dict[str, Any]:
    connection.cursor().execute(f"SET statement_timeout = '{_LONGEST_SECONDS}s'")
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(_LONGEST_SECONDS)
    statements: list[str] = []
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is used now
    before = _kilobytes(_SIZE)
    started, cpu = time.monotonic(), _cpu()
    try:
        with connection.execute_wrapper(_counting(statements)), transaction.atomic():
            said = _summarize(act(client))
            connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"[:80]
    seconds = time.monotonic() - started
    signal.alarm(0)
    megabytes = (_kilobytes(_PEAK) - before) / 1024
    return {
        "seconds": seconds,
        "cpu": _cpu() - cpu,
        "megabytes": megabytes,
        "statements": len(statements),
        "said": said,
    }


def _stop(*_: Any) -> None:
    raise TimeoutError(f"stopped after {_LONGEST_SECONDS} s")


def _counting(statements: list[str]) -> Callable[..., Any]:
    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return run(sql, params, many, context)

    return execute


def _cpu() -> float:
    """CPU seconds of this process and its PostgreSQL backend: the same on a busy machine."""
    backend = connection.connection.info.backend_pid
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _kilobytes(what: re.Pattern[str]) -> int:
    found = what.search(Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def _summarize(answer: Any) -> str:
    """The status and the beginning of what the page tells."""
    if answer.status_code == 302:
        told = [str(message) for message in _messages(answer)]
        return f"302 {' '.join(told)}"[:120]
    page = answer.content.decode()
    if refused := re.search(r"“[^”]+” cannot be removed[^<]*", page):
        return f"{answer.status_code} {refused[0]}"
    text = re.sub(r"<[^>]+>|\s+", " ", page.partition('id="confirm-title">')[2][:600])
    return f"{answer.status_code} {' '.join(text.split())}"[:160]


def _messages(answer: Any) -> Any:
    from django.contrib.messages import get_messages

    return get_messages(answer.wsgi_request)


def _row(model: str, **narrow: Any) -> Any:
    from django.apps import apps

    rows = apps.get_model(model)._base_manager.filter(**narrow).order_by("pk")
    return rows.first()


def _address(model: str, page: str, **narrow: Any) -> str:
    name = f"admin:{model.replace('.', '_').lower()}_{page}"
    return reverse(name, args=[_row(model, **narrow).pk])


def _page(model: str, page: str, **narrow: Any) -> Callable[[Client], Any]:
    return lambda client: client.get(_address(model, page, **narrow))


def _delete(model: str, **narrow: Any) -> Callable[[Client], Any]:
    return lambda client: client.post(_address(model, "delete", **narrow), {"post": "yes"})


def _act(model: str, action: str, query: str) -> Callable[[Client], Any]:
    """The action on all rows of the list that the query narrows."""

    def act(client: Client) -> Any:
        key = apps.get_model(model.replace("_", ".")).objects.values_list("pk", flat=True)[0]
        data = {"action": action, "select_across": "1", "_selected_action": [key]}
        return client.post(f"{reverse(f'admin:{model}_changelist')}?{query}", data)

    return act


def _rename(name: str) -> Callable[[Client], Any]:
    address = ("leads.company", "change")
    return lambda client: client.post(_address(*address, name=name), {"name": f"New {name}"})


def _remove_stage(client: Client) -> Any:
    pipeline = _row("leads.pipeline")
    data: dict[str, Any] = {"name": pipeline.name, "is_default": "on"}
    stages = list(pipeline.stages.order_by("position", "id"))
    data |= {"stages-TOTAL_FORMS": len(stages), "stages-INITIAL_FORMS": len(stages)}
    for n, stage in enumerate(stages):
        values = {"id": stage.pk, "pipeline": pipeline.pk, "name": stage.name}
        values |= {"type": stage.type, "position": stage.position}
        data |= {f"stages-{n}-{key}": value for key, value in values.items()}
    data["stages-0-DELETE"] = "on"
    return client.post(_address("leads.pipeline", "change"), data)


# Leads of a mere thousand have the source "thousand"; see bounded.py.
ACTS: dict[str, Callable[[Client], Any]] = {
    "delete page of a pipeline": _page("leads.pipeline", "delete"),
    "delete page of a form": _page("forms.form", "delete"),
    "delete page of a campaign": _page("leads.campaign", "delete", utm_campaign="spring-looms"),
    "delete page of a team": _page("accounts.team", "delete"),
    "delete page of a company, 5,000 people": _page("leads.company", "delete", name="Large"),
    "delete page of a company, 400 people": _page("leads.company", "delete", name="Small"),
    "delete page of a task": _page("leads.task", "delete"),
    "delete a pipeline": _delete("leads.pipeline"),
    "delete a form": _delete("forms.form"),
    "delete a campaign": _delete("leads.campaign", utm_campaign="spring-looms"),
    "delete a campaign of 1,000 leads": _delete("leads.campaign", name="Small"),
    "delete a team": _delete("accounts.team"),
    "delete a team of 1,000 leads": _delete("accounts.team", name="Small"),
    "delete a company of 400 people and leads": _delete("leads.company", name="Small"),
    "remove a stage on the pipeline page": _remove_stage,
    "assign all leads to me": _act("leads_lead", "assign_to_me", "view=all"),
    "assign 1,000 leads to me": _act("leads_lead", "assign_to_me", "view=all&source=thousand"),
    "release 1,000 submissions": _act("capture_submission", "release_chosen", "view=quarantine"),
    "retry 1,000 submissions": _act("capture_submission", "retry_chosen", "view=parked"),
    "release all submissions": _act("capture_submission", "release_chosen", "view=all"),
    "complete 1,000 tasks": _act("leads_task", "complete", "view=mine"),
    "complete all tasks": _act("leads_task", "complete", "view=open"),
    "rename a company of 1,000 people": _rename("Thousand"),
    "rename a company of 5,000 people": _rename("Large"),
    "page of a pipeline": _page("leads.pipeline", "change"),
    "page of a form": _page("forms.form", "change"),
    "page of a campaign": _page("leads.campaign", "change", utm_campaign="spring-looms"),
    "page of a team": _page("accounts.team", "change"),
    "page of a person": _page("accounts.user", "change", email=_EMAIL),
    "page of a company": _page("leads.company", "change", name="Large"),
    "page of a contact": _page("leads.contact", "change"),
    "page of a task": _page("leads.task", "change"),
    "history of a campaign": _page("leads.campaign", "history", utm_campaign="spring-looms"),
}
