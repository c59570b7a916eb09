"""The shelf of channels: each folder executes a payment method over its own protocol, behind one contract.

The only floor that calls outside. `contract` says what a channel is; `gateway` keeps the local gateways together.
"""
