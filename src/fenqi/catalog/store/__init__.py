"""All SQL of the catalogue: the shelf (reference data) and the sellers' pieces (their own rows)."""
