"""The database floor: pool, transaction, idempotency, outbox, inbox, coalescer and the embedded server.

It is the only floor that knows the engine; rooms get a `Tx` from `pool.Database` and write their SQL in `store.py`.
"""
