"""How fast it is: ``python -m experiments.bench`` measures on your machine and prints a table."""
