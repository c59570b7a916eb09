"""Attempts: every try at a channel, with what it held, what was said of it, its refunds and its notices."""
