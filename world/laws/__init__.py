"""Laws in closed form, each with its source, as functions of numbers alone."""
