"""`make store`: on a developer's machine several workers count together in it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from finora.limits.windows import Limits, RateLimiter
from finora.tests.kit.served import HOST, free_port

pytestmark = pytest.mark.once

START_SECONDS = 60


def test_make_store_runs_one_that_limits_are_shared_in(tmp_path):
    port = free_port()
    url = f"redis://{HOST}:{port}"
    make = ["make", "-s", "-f", str(settings.BASE_DIR / "Makefile"), "-o", "install-dev", "store"]
    store = subprocess.Popen(
        [*make, f"BIN={Path(sys.executable).parent}", f"STORE=--port {port}"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        patient = Retry(ConstantBackoff(0.1), START_SECONDS * 10)
        with redis.Redis.from_url(url, retry=patient) as client:
            assert client.ping()
        workers = RateLimiter(url), RateLimiter(url)
        let = [worker.enter("key", Limits(minute=3)).allowed for worker in workers * 2]
        assert let == [True, True, True, False]
        for worker in workers:
            worker.close()
    finally:
        os.killpg(store.pid, signal.SIGINT)  # as a terminal does
        store.wait(START_SECONDS)
    assert list(tmp_path.iterdir()) == []
