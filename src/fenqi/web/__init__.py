"""Doors: pages for buyers and staff, and the API. A door parses, calls one flow or room, and renders."""
