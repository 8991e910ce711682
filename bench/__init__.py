"""Measures and breaks the product from outside; no part of it."""
