"""All SQL of the customer room: the consumer's record, and what belongs to it (codes, messages, cards, sessions)."""
