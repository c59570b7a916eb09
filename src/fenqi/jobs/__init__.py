"""Doors for time: each job calls one flow."""
