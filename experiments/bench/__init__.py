"""How fast it is: ``python -m baimo.experiments.bench`` measures on your machine, prints a table and keeps it."""
