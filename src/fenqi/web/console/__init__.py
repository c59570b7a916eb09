"""The console for staff, one file a page."""
