"""The room of orders: the cart, placing, changing, splitting, closing, expiring and paying in batches.

Stock is the catalogue's matter: flows reserve it before an order is placed and release or consume it afterwards.
"""

from fenqi.order.amend import (
    accept_price,
    change_delivery,
    change_scene,
    change_seller,
    leave_out,
    remove_coupon,
    split,
)
from fenqi.order.cart import cart, put_in_cart, take_out_of_cart
from fenqi.order.model import (
    Bought,
    CartLine,
    Coupon,
    Line,
    LockedOrder,
    NewLine,
    NewOrder,
    Order,
    OrderMove,
    OrderState,
    PaidOrder,
)
from fenqi.order.move import (
    attempt_begins,
    attempt_ends,
    buckets_due,
    close,
    expire_due,
    lock_for_payment,
    mark_paid,
    reorder,
    revive,
)
from fenqi.order.place import check_order, claim_number, claim_partner_number, place, sweep_numbers
from fenqi.order.read import bought, find, find_partner_number, get, get_many, moves, of_consumer

__all__ = [
    "Bought",
    "CartLine",
    "Coupon",
    "Line",
    "LockedOrder",
    "NewLine",
    "NewOrder",
    "Order",
    "OrderMove",
    "OrderState",
    "PaidOrder",
    "accept_price",
    "attempt_begins",
    "attempt_ends",
    "bought",
    "buckets_due",
    "cart",
    "change_delivery",
    "change_scene",
    "change_seller",
    "check_order",
    "claim_number",
    "claim_partner_number",
    "close",
    "expire_due",
    "find",
    "find_partner_number",
    "get",
    "get_many",
    "leave_out",
    "lock_for_payment",
    "mark_paid",
    "moves",
    "of_consumer",
    "place",
    "put_in_cart",
    "remove_coupon",
    "reorder",
    "revive",
    "split",
    "sweep_numbers",
    "take_out_of_cart",
]
