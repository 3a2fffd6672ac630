"""Capital: hype, parents, deal flow and financing rounds."""
