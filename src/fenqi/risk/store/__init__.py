"""All SQL of the risk room. Lock order: rows of one table by (bucket, subject), subjects before links before pulses."""
