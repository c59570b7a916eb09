"""All SQL of the attempt room: attempts with their moves, refunds through channels, notices."""
