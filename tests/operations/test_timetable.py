from leadgen.celery import app


def test_everything_on_the_timetable_is_a_task_that_workers_know():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_a_hint_on_the_timetable_expires_before_many_of_it_pile_up():
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] <= 3 * entry["schedule"]
