"""Laws in closed form, each with its source: they take numbers and know no world."""
