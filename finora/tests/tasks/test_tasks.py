"""What waits, what became of it, and what is kept of a failure."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, transaction
from django_tasks import TaskResultStatus
from django_tasks.signals import task_finished

from finora import clock
from finora.tasks import worker
from finora.tasks.models import LEASE, MAX_ATTEMPTS, QueuedTask
from finora.tests.kit import tasks
from finora.tests.kit.staff import browser
from finora.tests.kit.tasks import failing, run_tasks, two_steps, until

pytestmark = pytest.mark.django_db
TASKS = "/admin/tasks/queuedtask/"


@pytest.fixture
def ready(business):
    business.name = tasks.GO
    business.save()
    return business


def names(business):
    return sorted(business.api_keys.values_list("name", flat=True))


@pytest.mark.parametrize(
    "arguments",
    [("ada@example.com",), ("+2348031234567",), (8031234567,), (["Ada"],), ("cust_",), (None,)],
)
def test_nothing_but_ids_of_ours_may_wait(arguments):
    for each in ({"args": arguments, "kwargs": {}}, {"args": (), "kwargs": {"x": arguments[0]}}):
        with pytest.raises(TypeError, match="takes public ids") as refused:
            two_steps.enqueue(*each["args"], **each["kwargs"])
        assert str(arguments[0]) not in str(refused.value)
    assert not QueuedTask.objects.exists()


def test_a_task_waits_in_the_transaction_that_asks_for_it(ready):
    with transaction.atomic():
        two_steps.enqueue(ready.public_id)
        transaction.set_rollback(True)
    assert run_tasks() == 0
    two_steps.enqueue(ready.public_id)
    assert QueuedTask.objects.get().args_kwargs == {"args": [ready.public_id], "kwargs": {}}
    assert run_tasks() == 1
    assert names(ready) == [tasks.FIRST, tasks.SECOND]
    assert QueuedTask.objects.get().status == TaskResultStatus.SUCCESSFUL


def test_of_a_failure_the_class_and_the_place_are_kept_and_no_value(business, log):
    failing.enqueue(business.public_id)
    run_tasks()
    failed = QueuedTask.objects.get()
    assert failed.status == TaskResultStatus.FAILED
    assert failed.exception_class_path == "builtins.LookupError"
    assert "ValueError" in failed.traceback
    assert "kit/tasks.py" in failed.traceback
    for text in (failed.traceback, log.getvalue()):
        assert "ada@example.com" not in text
        assert "0803" not in text
    assert "task failed" in log.getvalue()


def test_who_asked_hears_of_the_end(business):
    heard = []

    def hear(task_result, **_):
        heard.append(task_result.status)

    task_finished.connect(hear)
    try:
        failing.enqueue(business.public_id)
        run_tasks()
    finally:
        task_finished.disconnect(hear)
    assert heard == [TaskResultStatus.FAILED]


def test_a_task_whose_code_is_gone_fails_and_the_next_one_is_done(ready):
    two_steps.enqueue(ready.public_id)
    QueuedTask.objects.update(task_path="customers.gone.task")
    two_steps.enqueue(ready.public_id)
    assert run_tasks() == 2
    states = QueuedTask.objects.order_by("enqueued_at").values_list("status", flat=True)
    assert [*states] == [TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL]


def test_a_business_that_was_given_its_id_has_tasks_too(ready):
    ready.public_id = "biz_acme-1"
    ready.save()
    two_steps.enqueue(ready.public_id)
    assert run_tasks() == 1
    assert names(ready) == [tasks.FIRST, tasks.SECOND]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_the_database_failed_waits_and_is_done_later(ready, monkeypatch):
    def away(_):
        raise OperationalError("could not connect")

    two_steps.enqueue(ready.public_id)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "_call", away)
        assert run_tasks() == 1
    task = QueuedTask.objects.get()
    assert (task.status, task.attempts) == (TaskResultStatus.READY, 1)
    assert run_tasks() == 0
    QueuedTask.objects.update(run_after=clock.now())
    assert run_tasks() == 1
    assert names(ready) == [tasks.FIRST, tasks.SECOND]


def test_two_workers_never_take_the_same_task(business):
    two_steps.enqueue(business.public_id)
    seen_by_both = QueuedTask.objects.get()
    assert QueuedTask.objects.take("one")
    assert not seen_by_both._change(status=TaskResultStatus.RUNNING)
    assert QueuedTask.objects.take("two") is None


def test_a_worker_that_lost_its_lease_changes_nothing_of_the_task(business):
    two_steps.enqueue(business.public_id)
    first = QueuedTask.objects.take("one")
    tasks.let_leases_run_out()
    second = QueuedTask.objects.take("two")
    assert second.worker_ids == ["one", "two"]
    assert not any([first.renew(), first.succeed(), first.fail("x", []), first.release()])
    assert second.renew()
    assert second.succeed()


def test_a_task_that_ends_each_of_its_workers_is_given_up(ready, log):
    two_steps.enqueue(ready.public_id)
    for _ in range(MAX_ATTEMPTS):
        assert QueuedTask.objects.take("killed")
        tasks.let_leases_run_out()
    assert run_tasks() == 1
    task = QueuedTask.objects.get()
    assert task.status == TaskResultStatus.FAILED
    assert f"Begun {MAX_ATTEMPTS} times" in task.traceback
    assert "task given up" in log.getvalue()
    assert names(ready) == []


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_the_task_runs(business, monkeypatch):
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.05)
    two_steps.enqueue(business.public_id)
    task = QueuedTask.objects.take("one")
    taken_until = task.run_after
    with worker._leased(task):
        until(lambda: QueuedTask.objects.get().run_after > taken_until)
    assert task.succeed()  # it knows its lease


def test_the_metrics_say_what_waits_runs_and_failed(business, scrape):
    failing.enqueue(business.public_id)
    run_tasks()
    two_steps.enqueue(business.public_id)
    two_steps.enqueue(business.public_id)
    QueuedTask.objects.take("one")
    QueuedTask.objects.waiting().update(enqueued_at=clock.now() - timedelta(minutes=2))
    found = scrape()
    assert found["finora_tasks_waiting"] == 1
    assert found["finora_tasks_running"] == 1
    assert found["finora_tasks_failed"] == 1
    assert 120 <= found["finora_tasks_oldest_due_seconds"] < 600


def test_what_was_done_is_pruned_and_what_waits_is_not(ready):
    for _ in range(3):
        two_steps.enqueue(ready.public_id)
    for age in (10, 40):
        QueuedTask.objects.take("one").succeed()
        moment = clock.now() - timedelta(days=age)
        QueuedTask.objects.successful().filter(finished_at__gte=clock.now() - LEASE).update(
            finished_at=moment
        )
    call_command("prune_db_task_results", min_age_days=30)
    assert QueuedTask.objects.count() == 2


@pytest.fixture
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.mark.usefixtures("_static_files_as_they_are")
def test_an_administrator_sees_state_and_failure_and_no_argument(business):
    failing.enqueue(business.public_id)
    run_tasks()
    client = browser("Administrator")
    shown = client.get(f"{TASKS}?state=FAILED").content.decode()
    assert "failing" in shown
    page = client.get(f"{TASKS}{QueuedTask.objects.get().pk}/change/").content.decode()
    assert "LookupError" in page
    assert business.public_id not in shown + page
    assert "failing" not in client.get(f"{TASKS}?state=READY").content.decode()
    assert 'id="searchbar"' not in shown  # it would find nothing
    assert browser("Editor", "Privacy officer").get(TASKS).status_code == 403


# In processes of their own.


@pytest.fixture
def work():
    started = []

    def start():
        started.append(tasks.working())
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_task_is_taken_up_again_and_makes_nothing_twice(work, business):
    two_steps.enqueue(business.public_id)
    killed = work()
    until(lambda: names(business) == [tasks.FIRST])
    killed.kill()
    killed.wait()
    assert QueuedTask.objects.get().status == TaskResultStatus.RUNNING
    tasks.let_leases_run_out()
    type(business).objects.update(name=tasks.GO)
    next_one = work()
    until(lambda: QueuedTask.objects.successful().exists())
    assert names(business) == [tasks.FIRST, tasks.SECOND]
    assert QueuedTask.objects.get().attempts == 2
    next_one.terminate()
    assert next_one.wait(30) == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_stopped_releases_its_task_at_once(work, business):
    two_steps.enqueue(business.public_id)
    stopped = work()
    until(lambda: names(business) == [tasks.FIRST])
    stopped.terminate()
    assert stopped.wait(30) == 0
    task = QueuedTask.objects.get()
    assert (task.status, task.attempts) == (TaskResultStatus.READY, 0)
    assert QueuedTask.objects.due().exists()
