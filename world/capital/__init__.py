"""Capital: hype, deal flow and financing rounds."""
