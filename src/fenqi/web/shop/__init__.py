"""The shop, one file a page."""
