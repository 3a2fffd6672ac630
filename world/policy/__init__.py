"""Policy: dated rules and instruments, and their values in each month."""
