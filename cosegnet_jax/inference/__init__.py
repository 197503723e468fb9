"""Photos in, common-object masks out: a trained network on photos of your own."""
