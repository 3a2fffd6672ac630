"""Apps on top of models: choice of bases, competition, life cycle, labour."""
