"""Double entry: books, journals and limits, and the one batch door through which money moves."""
