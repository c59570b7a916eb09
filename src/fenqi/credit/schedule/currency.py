"""Decimals of every ISO 4217 currency, for schedules that are checked against other lenders' published ones.

The kernel keeps books in a few currencies only; the engine computes in any, so it needs the whole list.
"""

from __future__ import annotations

from fenqi.kernel.refusal import Refusal

_LISTED = """
0 BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
3 BHD IQD JOD KWD LYD OMR TND
4 CLF UYW
2 AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
2 CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
2 GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD
2 MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
2 PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
2 TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL
"""
_DECIMALS = {code: int(line[0]) for line in _LISTED.split("\n") for code in line[2:].split()}


def decimals_of(currency: str) -> int:
    """Digits behind the point by ISO 4217: CNY 2, JPY 0, KWD 3. Refuses what is not an ISO 4217 code."""
    decimals = _DECIMALS.get(currency)
    if decimals is None:
        raise Refusal("CURRENCY_UNKNOWN", f"{currency!r} is not an ISO 4217 currency code", field="currency")
    return decimals
