"""The room of consumers: signing up and in, identity, pay password, step-up, phone codes, cards, money account.

Whatever decisions look at raises the consumer's `version`. Names, numbers and phones are sealed and never in facts.
Functions that return `Refusal | None` have counted a failed try: commit, then raise it.
"""

from fenqi.customer.card import add_bound_card, ask_to_bind, bind, card_number, cards, unbind
from fenqi.customer.identity import change_phone, mark, prove_again, renew_document, verify_phone, verify_real_name
from fenqi.customer.model import (
    Card,
    Consumer,
    HistoryRow,
    Marks,
    MoneyAccount,
    NewConsumer,
    PayPassword,
    Person,
    PhoneMessage,
    Purpose,
    RealName,
    Region,
    SignedIn,
)
from fenqi.customer.money_account import freeze_money_account, open_money_account, switch_pay
from fenqi.customer.password import change_password
from fenqi.customer.pay_password import (
    check_pay_password,
    reset_pay_password,
    set_pay_password,
    step_up_by_code,
    step_up_by_pay_password,
)
from fenqi.customer.read import get, get_history, get_many, messages, person, touch, versions
from fenqi.customer.secret import Keys, hash_password
from fenqi.customer.segment import grant_segment, withdraw_segment
from fenqi.customer.sign_in import (
    ACCESS_TTL,
    check_session,
    issue_access_token,
    open_session,
    read_access_token,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from fenqi.customer.sign_up import (
    add_consumer,
    claim_credit_line,
    credit_line_account,
    find_by_phone,
    find_by_sign_in_name,
    sign_up,
)
from fenqi.customer.sms import check_code, send_code
from fenqi.customer.walk_in import add_walk_in

__all__ = [
    "ACCESS_TTL",
    "Card",
    "Consumer",
    "HistoryRow",
    "Keys",
    "Marks",
    "MoneyAccount",
    "NewConsumer",
    "PayPassword",
    "Person",
    "PhoneMessage",
    "Purpose",
    "RealName",
    "Region",
    "SignedIn",
    "add_bound_card",
    "add_consumer",
    "add_walk_in",
    "ask_to_bind",
    "bind",
    "card_number",
    "cards",
    "change_password",
    "change_phone",
    "check_code",
    "check_pay_password",
    "check_session",
    "claim_credit_line",
    "credit_line_account",
    "find_by_phone",
    "find_by_sign_in_name",
    "freeze_money_account",
    "get",
    "get_history",
    "get_many",
    "grant_segment",
    "hash_password",
    "issue_access_token",
    "mark",
    "messages",
    "open_money_account",
    "open_session",
    "person",
    "prove_again",
    "read_access_token",
    "renew_document",
    "reset_pay_password",
    "send_code",
    "set_pay_password",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "sign_up",
    "step_up_by_code",
    "step_up_by_pay_password",
    "switch_pay",
    "touch",
    "unbind",
    "verify_phone",
    "verify_real_name",
    "versions",
    "withdraw_segment",
]
