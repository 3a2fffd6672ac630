"""The market for models: segments, quality, utility, pricing, demand, serving, releases."""
