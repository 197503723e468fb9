"""How fast, how much of what the machine can do, and against whom."""
