"""`make bench`: this directory beside its rivals, on one data set and one machine.

`__main__` starts the databases and writes the report; `measure` runs once for each database, in a
process of its own; `sections` holds what is measured. Every answer is checked while it is timed.
"""
