"""The cashier: what is owed for an order, which methods can pay it, why the others can't, and what would cure them."""
