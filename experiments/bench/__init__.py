"""Benchmark: ``baimo bench`` measures speed on your machine, prints a table and keeps it."""
