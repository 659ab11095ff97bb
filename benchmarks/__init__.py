"""Measurements of the whole product, each against a named baseline in the same run."""
