"""Regulation: licensing, compliance, trust."""
