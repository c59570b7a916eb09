"""The room of insight: what happened at the cashier and to the money that was lost there, counted."""
