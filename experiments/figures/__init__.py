"""Figures of runs: the summary, and those for a paper, one file a family, each with its caption (``catalogue``)."""
