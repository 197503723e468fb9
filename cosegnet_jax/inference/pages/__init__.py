"""The report of a prediction, as a page that needs nothing beside it."""
