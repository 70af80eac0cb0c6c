from concurrent.futures import ThreadPoolExecutor
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

from leadgen.lib import backends

MESSAGES = 600


@pytest.fixture
def connect(tmp_path):
    made = backends.broker(f"filesystem://{tmp_path}")
    options = {**made["broker_transport_options"], "store_processed": True}
    options["processed_folder"] = str(tmp_path / "processed")
    (tmp_path / "processed").mkdir()
    return lambda: Connection(made["broker_url"], transport_options=options)


def send(connect, queue, numbers):
    with connect() as connection, connection.Producer() as producer:
        for number in numbers:
            producer.publish({"n": number}, exchange=queue, routing_key=queue)


def receive(connect, queue, count):
    taken: list[object] = []
    with connect() as connection:
        channel = connection.default_channel
        while len(taken) < count:
            try:
                taken.append(channel._get(queue))
            except Empty:
                continue
    return taken


def bind(connect, queue):
    # kombu remembers bindings per process, whatever the folder: each test has a queue of its own.
    with connect() as connection:
        Queue(queue, Exchange(queue), queue).bind(connection.default_channel).declare()


def test_reader_gets_complete_messages_only(connect):
    bind(connect, "whole")
    with ThreadPoolExecutor(3) as threads:
        reader = threads.submit(receive, connect, "whole", MESSAGES)
        halves = range(MESSAGES // 2), range(MESSAGES // 2, MESSAGES)
        for writer in [threads.submit(send, connect, "whole", half) for half in halves]:
            writer.result(60)
        assert len(reader.result(60)) == MESSAGES


def test_concurrent_starts_share_one_binding_table(connect):
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(bind, connect, "shared") for _ in range(40)]:
            done.result(60)
    send(connect, "shared", range(3))
    assert len(receive(connect, "shared", 3)) == 3
