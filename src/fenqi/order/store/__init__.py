"""All SQL of the order room: orders with lines, coupons and moves; the directory of numbers; carts."""
