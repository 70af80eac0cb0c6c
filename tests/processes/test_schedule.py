import pytest

from leadgen.celery import app
from leadgen.processes import roles
from leadgen.processes.schedule import TASKS


def test_every_scheduled_task_is_known_to_workers():
    app.loader.import_default_modules()
    assert {task.task for task in TASKS.values()} <= set(app.tasks)


def test_scheduled_message_expires_before_many_pile_up():
    assert all(task.expires <= 3 * task.every for task in TASKS.values())


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.task)
def test_message_of_a_task_is_routed_to_one_queue(task):
    queue = app.amqp.router.route({}, task.task)["queue"]
    bound = [q for q in app.amqp.queues.values() if q.exchange.name == queue.exchange.name]
    assert [q.name for q in bound] == [task.queue]


def test_every_task_has_its_queue_in_the_schedule():
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if name.startswith("leadgen.")}
    assert ours <= {task.task for task in TASKS.values()}


@pytest.mark.parametrize("queue", roles.QUEUES)
def test_every_queue_has_one_role_that_consumes_it(queue):
    assert len([role for role in roles.ROLES.values() if queue in role.queues]) == 1


def test_queue_of_older_releases_is_still_consumed():
    queue = app.amqp.queues["leadgen"]
    assert (queue.exchange.name, queue.routing_key) == ("leadgen", "leadgen")
    assert "leadgen" in roles.ROLES["worker"].queues


def test_worker_of_one_machine_is_named_worker():
    assert roles.name_of_worker(roles.QUEUES) == "worker"
    assert roles.name_of_worker(roles.ROLES["worker"].queues) == "worker"
    assert roles.name_of_worker(roles.ROLES["delivery"].queues) == "delivery"


@pytest.mark.parametrize(
    "role", [role for role in roles.ROLES.values() if role.metrics == roles.Metrics.PORT], ids=str
)
def test_role_with_metrics_on_a_port_shares_its_counters(role):
    # leadgen.lib.telemetry.multiprocess_metrics knows them by the word of their command.
    assert {"worker", "beat"} & set(role.command)
