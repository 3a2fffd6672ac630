"""Compute: chips, their supply and market, rented compute, clouds, the platform."""
