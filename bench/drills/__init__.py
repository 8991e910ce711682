"""Faults on purpose: `make drills`."""
