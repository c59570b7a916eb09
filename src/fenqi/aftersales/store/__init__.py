"""All SQL of the room: cases with their history, and what is said, handed in and decided about them."""
