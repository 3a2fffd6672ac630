"""Experiments with the world: running scenarios, storing, loading and drawing the answers.

Start at :mod:`baimo.experiments.cli` (the command ``baimo``) and :mod:`baimo.experiments.read.load`.
"""
