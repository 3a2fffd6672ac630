"""How fast it is: ``baimo bench`` measures on your machine, prints a table and keeps it."""
