"""The server's processes: they start, reload and end together, whatever is sent to them when."""

import contextlib
import http.client
import signal
import threading
import time

import psutil
import pytest
from django.conf import settings

from customers.models import Customer
from finora.tasks.models import QueuedTask
from finora.tests.kit import factories, tasks
from finora.tests.kit.served import HOST, START_SECONDS, Served
from finora.tests.kit.tasks import two_steps, until

pytestmark = pytest.mark.django_db(transaction=True)

FIND_OR_CREATE = "/v1/customers/find-or-create"
END_SECONDS = 10


@pytest.fixture
def serve(tmp_path):
    every = []
    keys = (settings.FINORA_DATA_DIR / "demo-keys.json").read_bytes()
    (tmp_path / "demo-keys.json").write_bytes(keys)

    def start(workers=1, **env):
        env |= {"FINORA_DATA_DIR": str(tmp_path)}
        every.append(Served(tmp_path / "log", workers, **env))
        return every[-1]

    yield start
    for served in every:
        served.stop()


def ends_within(seconds, family):
    deadline = time.monotonic() + seconds
    while alive := [one for one in family if is_alive(one)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)


def is_alive(process):
    """A zombie is not: whoever adopted it only has not looked yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_workers_share_no_connection_to_the_database(serve):
    """They are forked: one that the main process left open would be one of all of them, each
    reading the answers to the others' queries."""
    served = serve(workers=4).wait()
    main, *_ = served.family()
    assert [file.path for file in main.open_files() if "sqlite" in file.path] == []
    assert "Unexpected exit" not in served.log.read_text()


@pytest.mark.once
def test_term_ends_a_server_at_any_moment_of_its_start(serve):
    """Until the workers have handlers of their own, they have the main process's: 2 of 13 starts
    that were stopped in their first 0.7 s never ended."""
    for delay in (0, 0.1, 0.3):
        served = serve()
        while len(served.family()) < 2:
            time.sleep(0.01)
        time.sleep(delay)
        family = served.family()
        served.send(signal.SIGTERM)
        ends_within(END_SECONDS, family)
    served = serve()
    served.send(signal.SIGTERM)
    ends_within(END_SECONDS, served.family())


@pytest.mark.once
def test_a_signal_that_is_sent_to_all_and_again_ends_them(serve):
    """As a terminal and some supervisors do: the third one to a worker once stopped it for good."""
    served = serve(workers=2).wait()
    family = served.family()
    for number in [signal.SIGINT, signal.SIGTERM] * 3:
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)
        time.sleep(0.02)
    ends_within(END_SECONDS, family)


@pytest.mark.once
def test_term_ends_a_server_that_slow_clients_and_a_hanging_worker_hold(serve):
    served = serve(workers=2).wait()
    family = served.family()
    family[1].suspend()
    with served.connect() as silent, served.connect() as half, served.connect() as body:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        body.sendall(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert silent.fileno() > 0
        served.send(signal.SIGTERM)
        ends_within(END_SECONDS, family)


@pytest.mark.once
def test_term_ends_a_server_that_is_reloading(serve):
    served = serve(workers=3).wait()
    served.send(signal.SIGHUP)
    time.sleep(1)
    family = served.family()
    served.send(signal.SIGTERM)
    ends_within(END_SECONDS, family)


@pytest.mark.once
def test_workers_end_with_a_main_process_that_is_killed(serve):
    served = serve(workers=2)
    while len(served.family()) < 3:  # so one is killed while its workers still load
        time.sleep(0.01)
    family = served.family()
    served.send(signal.SIGKILL)
    served.process.wait()
    ends_within(START_SECONDS, family[1:])
    served.start()
    served.wait()
    family = served.family()
    served.send(signal.SIGKILL)
    served.process.wait()
    served.start()  # at once: it waits for the port, and never answers beside the old ones
    ends_within(END_SECONDS, family[1:])
    served.wait()
    assert len(served.family()) == 3


def test_tasks_have_processes_of_their_own_that_are_replaced_and_end_with_the_server(
    serve, business
):
    """A killed one's task is taken up by the next one, and makes nothing twice."""
    two_steps.enqueue(business.public_id)
    served = serve(TASK_WORKERS="1").wait()
    made = business.api_keys.order_by("pk").values_list("name", flat=True)
    until(lambda: [*made.all()] == [tasks.FIRST])
    killed = served.family()[1]
    killed.kill()
    ends_within(END_SECONDS, [killed])
    tasks.let_leases_run_out()
    type(business).objects.update(name=tasks.GO)
    until(lambda: QueuedTask.objects.successful().exists())
    assert [*made.all()] == [tasks.FIRST, tasks.SECOND]
    family = served.family()
    served.send(signal.SIGHUP)
    ends_within(START_SECONDS, family[1:])
    until(lambda: len(served.family()) == 3)
    family = served.family()
    served.send(signal.SIGTERM)
    assert served.process.wait(END_SECONDS) == 0
    ends_within(END_SECONDS, family)


def test_a_task_does_not_hold_up_the_end_of_its_server(serve, business):
    two_steps.enqueue(business.public_id)
    served = serve(TASK_WORKERS="1")
    until(lambda: business.api_keys.exists())
    family = served.family()
    served.send(signal.SIGTERM)
    served.process.wait()
    ends_within(END_SECONDS, family)
    assert QueuedTask.objects.waiting().exists()
    served.start()
    until(lambda: QueuedTask.objects.running().exists())
    family = served.family()
    served.send(signal.SIGKILL)
    served.process.wait()
    ends_within(END_SECONDS, family)


@pytest.mark.once
def test_a_second_server_on_the_port_does_not_start(serve):
    first = serve().wait()
    second = serve(PORT=str(first.port))
    assert second.process.wait(60) != 0
    assert "Address already in use" in second.log.read_text()


class Caller(threading.Thread):
    """Makes a customer a call, each on a connection of its own, and notes what was answered."""

    def __init__(self, served, key, number):
        super().__init__()
        self.served, self.number = served, number
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.acknowledged, self.lost = [], []
        self.ended = threading.Event()

    def run(self):
        n = 0
        while not self.ended.is_set():
            n += 1
            email = f"c{self.number}.{n}@example.com"
            body = b'{"email": "%s"}' % email.encode()
            link = http.client.HTTPConnection(HOST, self.served.port, timeout=30)
            try:
                link.connect()
            except ConnectionRefusedError:
                return  # nobody listens any longer: nothing was begun
            try:
                link.request("POST", FIND_OR_CREATE, body, self.headers)
                response = link.getresponse()
                response.read()
                assert response.status in (200, 201), response.status
                self.acknowledged.append(email)
            except (OSError, http.client.HTTPException, AssertionError) as why:
                self.lost.append((email, repr(why)))
            finally:
                link.close()


def calling(served, key, count=4):
    callers = [Caller(served, key, number) for number in range(count)]
    for caller in callers:
        caller.start()
    return callers


def results(callers):
    for caller in callers:
        caller.ended.set()
        caller.join()
    acknowledged = [email for caller in callers for email in caller.acknowledged]
    return acknowledged, [email for caller in callers for email in caller.lost]


def test_hup_replaces_every_worker_and_loses_no_call(serve, business):
    key = factories.api_key(business)[1]
    served = serve(workers=2).wait()
    before = {one.pid for one in served.family()[1:]}
    callers = calling(served, key)
    served.send(signal.SIGHUP)
    deadline = time.monotonic() + 40
    while before & {one.pid for one in served.family()[1:]}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(0.5)
    acknowledged, lost = results(callers)
    assert not lost
    assert Customer.objects.count() == len(acknowledged) > 20


def test_term_loses_no_answer_that_was_begun(serve, business):
    """What was done was answered; a call that was not answered did nothing."""
    key = factories.api_key(business)[1]
    served = serve(workers=2).wait()
    callers = calling(served, key)
    time.sleep(1)
    family = served.family()
    served.send(signal.SIGTERM)
    ends_within(END_SECONDS, family)
    acknowledged, _ = results(callers)
    assert Customer.objects.count() == len(acknowledged) > 0


def test_the_calls_of_the_last_minute_are_counted_when_it_ends(serve, business):
    key, text = factories.api_key(business)
    served = serve().wait()
    for _ in range(3):
        path = f"/v1/customers?businessId={business.public_id}"
        assert served.call("GET", path, headers={"Authorization": f"Bearer {text}"})[0] == 200
    served.send(signal.SIGTERM)
    served.process.wait(END_SECONDS)
    key.refresh_from_db()
    assert key.total_calls == 3
