"""In and out in bulk: readers of files as other tools write them, one row's rules, one writer."""
