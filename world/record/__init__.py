"""What is recorded of a world; reads and changes nothing."""
