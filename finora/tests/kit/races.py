"""Calls that are made at the same moment, each with a database connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections


def together(*calls):
    """The results of the calls, all started at the same moment."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()  # connecting takes longer than what is raced for
            barrier.wait(20)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]
