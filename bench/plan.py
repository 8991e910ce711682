"""How much of everything a run does."""

OURS = "customers"
REFERENCE = "plain ModelViewSet"
KEEPING = "plain ModelViewSet that keeps its connections"

SMALL, MIDDLE, COUNT = 1_000, 10_000, 100_000

# Rounds over all kinds of query, behind one that warms up.
ROUNDS, RIVAL_ROUNDS = 10, 3
# Customers changed since their segment was written: about as many as there can be.
TAIL = 255
# Fresh server processes for the first search.
STARTS = 3
# Lists of 50 over each directory.
LISTS = 300

CONNECTIONS, WORKERS = 8, 2
LOAD_SECONDS, WARM_SECONDS = 5.0, 1.5
# Different lists of 50 under load.
PAGES = 40
