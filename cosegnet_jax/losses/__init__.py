"""What networks learn from: the paper's equations, and which images of a batch meet in them."""
