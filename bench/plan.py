"""How much of everything a run does, and what the servers are called."""

from dataclasses import dataclass

OURS = "ours"
OURS_LIMITED = "ours, limits in Redis"
OURS_UNLIMITED = "ours, limits off"
FASTAPI = "FastAPI, SQLAlchemy, asyncpg"
MODELVIEWSET = "ModelViewSet"
SOAKED = "ours, its packing timed"

# What there is to measure, in the order in which it is.
SECTIONS = (
    *("bulk", "search", "lists", "packing", "transfer"),
    *("calls", "sales", "profile", "where"),
)
COUNT, MILLION = 20_000, 1_000_000
FOUND, MADE, ONE, LIST = ROUTES = (
    *("find-or-create, found", "find-or-create, made"),
    *("get one", "list of 50"),
)
INVOICE_MADE, INVOICE, INVOICES = SALES_ROUTES = (
    *("create an invoice", "get an invoice", "list of 50 invoices"),
)
# Customers changed since their segment was written: about as many as there can be.
TAIL = 255
# Under load.
CONNECTIONS, WORKERS = 8, 2
# Four limits as by default, none of which is reached.
HIGH_LIMITS = "999999999/minute,999999999/hour,999999999/day,1000 concurrent"


@dataclass(frozen=True)
class Plan:
    small: int = 1_000  # customers of the smaller directories
    middle: int = 10_000
    # Rounds over all kinds of query, behind one that warms up.
    search_rounds: int = 10
    rival_rounds: int = 3
    starts: int = 3  # fresh server processes for the first search
    lists: int = 300  # of 50, over each directory
    reference_walk: int = 50_000  # customers at most that the slow walk takes
    import_rows: int = 20_000
    import_calls: int = 1_000  # new customers by the API, beside an import
    writes: int = 4_000  # new customers, one after the other, to see packing at work
    # Under load: in each round each call of each server has so many slices of so many seconds.
    rounds: int = 3
    routes: tuple[str, ...] = ROUTES
    warm_seconds: int = 1  # of each call, before the rounds
    slices: int = 2
    slice_seconds: int = 2
    profiled: int = 4_000  # calls in process, to see where their time goes
    # Different lists of 50, and customers or invoices, that are asked for.
    pages: int = 40
    customers: int = 1_000


QUICK = Plan(
    small=100,
    middle=200,
    search_rounds=1,
    rival_rounds=1,
    starts=1,
    lists=5,
    import_rows=500,
    import_calls=20,
    writes=200,
    rounds=1,
    warm_seconds=0,
    slices=1,
    slice_seconds=1,
    profiled=40,
    pages=3,
    customers=50,
)
