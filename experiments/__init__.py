"""What is asked of the world: running scenarios, storing, loading and drawing the answers.

Start at :mod:`experiments.run` (the command ``baimo``) and :mod:`experiments.load`.
"""
