"""The demo: an invented mall with a past, made through the real flows, and a person in every state of the dictionary.

`prepare` fills an empty database, `note` and `secret` keep beside it what the next start needs.
"""

from fenqi.demo.prepare import OtherData, PreparationFailed, Prepared, prepare, renew, sign_in_list
from fenqi.demo.share import PASSWORD, PAY_PASSWORD

__all__ = [
    "PASSWORD",
    "PAY_PASSWORD",
    "OtherData",
    "PreparationFailed",
    "Prepared",
    "prepare",
    "renew",
    "sign_in_list",
]
