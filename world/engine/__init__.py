"""Engine: worlds, populations, accounts, arrays, kernels and random streams, independent of any market."""
