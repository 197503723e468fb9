"""A web page on which visitors drop photos, see groups and masks, and take them away."""
