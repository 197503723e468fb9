"""From masks and decisions to figures, tables and a page."""
