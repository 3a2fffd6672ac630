"""The report on runs: findings in words, tables, figures and the commands that make it again, on one page."""
