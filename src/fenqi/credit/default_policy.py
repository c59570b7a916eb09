"""The parameters of the credit product that fenqi starts with; the tables of an application are policy, not product.

All numbers are the demo's own assumptions except where a source is named; a real operator publishes its own versions.
"""

from __future__ import annotations

from fenqi.credit.product import CreditProduct

PRODUCT = CreditProduct(version="credit-2026-1")

PRODUCTS = {PRODUCT.version: PRODUCT}
"""Every version that a loan may name; a loan keeps the rules of its own version for ever."""
