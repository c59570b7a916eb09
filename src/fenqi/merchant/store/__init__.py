"""All SQL of the merchant room, by what it is about. Lock order: merchant row, then the reference epoch."""

from fenqi.merchant.store import api_key, delivery, endpoint, event, share, shop

__all__ = ["api_key", "delivery", "endpoint", "event", "share", "shop"]
