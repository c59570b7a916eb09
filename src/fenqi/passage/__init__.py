"""Passages: the accounts at channels through which payments go, their credentials, health and maintenance."""
