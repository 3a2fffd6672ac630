"""Comparing runs: paired effects of policies, mechanisms and topologies, and their words."""
