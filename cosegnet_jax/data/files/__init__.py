"""Files of photos: which there are, what they hold, and how they are to be turned."""
