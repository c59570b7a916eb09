"""The assumptions of the simulated market, all in one place: who buys what, pays how, and repays when.

Sources in brackets are those of magnitudes.md; what is marked A is our own choice for the demo, and no statistic.
"""

from __future__ import annotations

from typing import NamedTuple

SEED = 20_260_103
CONSUMERS = 150
"""Who take part in the market; the cast of some eighty comes on top (A)."""
ORDERS_A_DAY = 35
"""Placed by all of them together (A): some 3,150 in 90 days."""


class Taste(NamedTuple):
    """How often a scene or category is chosen, in relation to the others."""

    name: str
    weight: int


SCENES = (Taste("mall", 52), Taste("instalment_mall", 30), Taste("scan_to_pay", 13), Taste("partner_store", 5))
"""Where people buy (A)."""

CATEGORIES = (
    Taste("phone", 8), Taste("laptop", 3), Taste("tablet", 3), Taste("wearable", 4), Taste("audio", 5),
    Taste("camera", 1), Taste("television", 2), Taste("fridge", 2), Taste("washer", 2), Taste("air_conditioner", 2),
    Taste("kitchen_appliance", 6), Taste("personal_care", 5), Taste("cleaning", 3), Taste("sofa", 2), Taste("bed", 2),
    Taste("desk", 2), Taste("bathroom", 1), Taste("lighting", 2), Taste("paint", 1), Taste("coat", 7),
    Taste("shoes", 7), Taste("bag", 6), Taste("skincare", 8), Taste("makeup", 6), Taste("perfume", 2),
    Taste("nappy", 5), Taste("stroller", 1), Taste("toy", 4), Taste("fitness", 3), Taste("cycling", 1),
    Taste("camping", 3), Taste("snack", 10), Taste("tea", 7), Taste("grain", 7), Taste("gold_bar", 1),
    Taste("jewellery", 2), Taste("gift_card", 2), Taste("phone_topup", 7), Taste("game_topup", 3),
    Taste("medicine", 3), Taste("ticket", 2), Taste("overseas", 4), Taste("membership", 2),
)  # fmt: skip
"""What they buy: prices are the catalogue's log-normal ones [magnitudes.md], the mix is ours (A)."""

STUDENT_PARENT = 0.25
"""Share of the people who have shown that a child of theirs studies (A)."""
TAKEN_OVER = 0.6
"""Share of the lines at the start that come from another system, with a history there (A)."""
HISTORY_MONTHS = (8, 60)
"""How long ago the first loan of those was (A)."""

SECOND_LINE = 0.12
"""Share of orders with a second kind of goods (A)."""
TWO_PIECES = 0.07

CREDIT, OUTSIDE = 0.20, 0.10
"""What the buyer wants to pay with: credit [magnitudes.md, A]; a channel outside; the money account, all others. In
life most would go outside. Here few do: each is several calls to another process, one after another, and the demo has
to be there within a minute (A)."""
_AT_COUNTERS = (Taste("alipay", 44), Taste("wechat_pay", 48), Taste("bank_card", 8))
CHANNELS = {
    "mall": (Taste("alipay", 38), Taste("wechat_pay", 38), Taste("bank_card", 20), Taste("huawei_pay", 4)),
    "instalment_mall": (Taste("bank_card", 92), Taste("alipay", 8)),
    "scan_to_pay": _AT_COUNTERS,
    "partner_store": _AT_COUNTERS,
}
"""Of those outside, by scene (A). Who wants Alipay in the instalment mall hears that it is not offered there."""
CLIENTS = {
    "alipay": (Taste("web", 50), Taste("wap", 50)),
    "wechat_pay": (Taste("web", 35), Taste("wap", 20), Taste("wechat", 45)),
    "bank_card": (Taste("web", 60), Taste("wap", 40)),
    "huawei_pay": (Taste("app", 1),),
}
"""Where the buyer is (A)."""
MIXED = 0.15
"""Of those on credit: pay a part outside, the rest on credit (A)."""
CARD_SAYS_NO, WALLET_SAYS_NO = 0.06, 0.04
"""Refused by the card's bank, or in the wallet (A) …"""
PAYS_FROM_BALANCE = 0.6
"""… of whom so many pay by the money account then (A)."""
LEAVES_WALLET = 0.03
"""Sees the wallet's page and never pays (A)."""
PAYS_TWICE, PAYS_LATE = 0.05, 0.03
"""Of those on Alipay's page: pays otherwise, or closes the order, and then pays on the page that still stands (A)."""
INSTALMENTS = 0.35
"""Share of credit payments in instalments [magnitudes.md, A] …"""
TERMS = (Taste("instalment_3", 45), Taste("instalment_6", 25), Taste("instalment_12", 25), Taste("instalment_24", 5))
"""… and of how many."""
ONE_TAP = 0.7
"""Of the buyers who know how they pay: those who press without looking at the list of methods first (A)."""

BORROWED_DEVICE, CONFIRMS = 10, 154
"""Of 256 orders: so many are placed on a device that is new here, and so many of those whom risk then asks confirm (A);
about 8 % of the credit line's refusals shall be risk's [magnitudes.md]."""
LEFT_BEHIND = 0.05
"""Orders placed and never paid, whatever the cashier says (A; the 70 % of carts abandoned come before an order)."""
LEAVES_WITHOUT_METHOD = 0.42
"""Of those whose preferred method is missing: would stop the purchase [PP1]."""
RECOVERS = 0.35
"""Of those who see a reason with its remedy: carry the remedy out (30 to 40 %) [magnitudes.md, A]."""
RECOVERS_BARE = 0.12
"""Of those who see a bare "unavailable": find out by themselves what to do, and do it (10 to 15 %) [magnitudes.md]."""
SEES_BARE = 0.2
"""Share of the consumers who take part in the experiment without reasons, while the quarter is simulated (A)."""
TAKES_ANOTHER = 0.5
"""Of the others: pay by a method that is available (A)."""
EASY = {"BALANCE_INSUFFICIENT": 0.9, "STEP_UP_REQUIRED": 0.93}
"""Of those whose balance is short, and of those asked to confirm that it's them: do it and go on (A)."""
MOVES_BY_CARD = 0.15
"""Of the top-ups that a shop's cashier proposes: charged to a bound card there and then; the others come from the
person's own bank (A)."""
RETURNED, RETURNED_OUTSIDE = 0.02, 0.06
"""Paid orders refunded within a fortnight (A); half of them in part. Those paid outside more often, to have some."""
REFUND_FAILS = 0.2
"""Of the refunds outside: the channel takes it on, and then can't (A; far too many, to have some)."""

HAS_LINE_AT_START = 0.62
"""Consumers with a line before the first day (A)."""
APPLIES_WHEN_TOLD = 0.25
"""Of those who hear that they have no line: apply at once (A)."""
ACTIVATES_AT_ONCE = 0.93

MISSES = 0.03
"""Of due instalments: enter M1 (2.5 to 3.5 % of due balances a month) [magnitudes.md, A, tuned to D1, D2, D5]."""
CURES_IN_3_DAYS = 0.60
"""Of those: paid within three days [magnitudes.md, A]."""
CURES_IN_MONTH = 0.62
"""Of what is left: paid within the month, so that M1 → M2 is some 15 % [magnitudes.md, A]."""
SETTLES_EARLY = 0.04
"""Visits to one's loans at which everything is settled early (A)."""
PAYS_AHEAD_DAYS = 6
"""How far ahead of its due date an instalment is paid along with one that is due (A)."""

INCOME_YUAN, INCOME_SPREAD = 7_800, 0.45
"""Monthly income: log-normal median and sigma (A)."""
SHARE_IN_WALLET = 0.55
"""Of a month's income: moved to the money account on pay-day (A)."""
