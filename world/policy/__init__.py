"""Policy: dated rules and instruments, and what they mean for the month."""
