"""Numbers of the model, with unit, range and source; groups of alternatives in YAML."""
