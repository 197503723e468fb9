"""`cosegnet benchmark`: speed, share of what the machine can do, and comparison with other programs."""
