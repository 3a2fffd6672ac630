"""The engine: worlds, populations, accounts, arrays, kernels and random streams; knows no market."""
