"""All SQL of the passage room: `declared` for what people set, `observed` for health."""
