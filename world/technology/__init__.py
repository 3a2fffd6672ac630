"""Technology: training runs, research, exploration, lineage of models."""
