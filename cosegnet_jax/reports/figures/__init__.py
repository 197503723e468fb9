"""Charts, and pictures of pairs."""
