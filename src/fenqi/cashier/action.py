"""Remedies as typed actions: what somebody can do so that a refused method becomes usable.

An action changes facts (`remedies` applies it and runs every gate again) and is carried out by `flows/remedy` through
the same doors that a buyer's own click would use. A route is a way whose outcome others decide.
"""

from __future__ import annotations

import msgspec


class _Action(msgspec.Struct, frozen=True, tag=True, tag_field="kind"):
    """All actions; the tag `kind` is the class name in snake case in the API."""


class Repay(_Action, frozen=True, tag="repay"):
    """Repay this much principal (with its fees) to free the limit at `limit_path`, from the money account."""

    amount_minor: int
    limit_path: str = "asset:loan_principal:general"
    pay_minor: int = 0
    """What it takes at most from the money account: the principal and the fees that go with it."""


class PayOverdue(_Action, frozen=True, tag="pay_overdue"):
    """Pay everything that is overdue, from the money account."""

    amount_minor: int


class SettleLoan(_Action, frozen=True, tag="settle_loan"):
    """Settle one loan early and wholly, from the money account."""

    loan_id: str
    amount_minor: int


class TopUp(_Action, frozen=True, tag="top_up"):
    """Move this much from a bound bank card into the money account."""

    amount_minor: int


class BindCard(_Action, frozen=True, tag="bind_card"):
    """Bind a bank card (its number, then an SMS code)."""


class OpenMoneyAccount(_Action, frozen=True, tag="open_money_account"):
    """Open the money account."""


class Activate(_Action, frozen=True, tag="activate"):
    """Sign the agreement in force and activate the approved line."""


class SignAgreement(_Action, frozen=True, tag="sign_agreement"):
    """Accept this version of the agreement."""

    version: str


class GiveConsent(_Action, frozen=True, tag="give_consent"):
    """Give the bureau and personal-information consent again."""


class Reopen(_Action, frozen=True, tag="reopen"):
    """Open again a line that its owner had closed."""


class Unlock(_Action, frozen=True, tag="unlock"):
    """Take off a lock of the line: self_locked, dormant_locked or pin_locked."""

    lock: str


class VerifyIdentity(_Action, frozen=True, tag="verify_identity"):
    """Prove identity: real_name, id_document or phone."""

    what: str


class SetPayPassword(_Action, frozen=True, tag="set_pay_password"):
    """Set the pay password for the first time, or reset a locked one by an SMS code."""


class StepUp(_Action, frozen=True, tag="step_up"):
    """Confirm with the pay password, or with an SMS code."""


class SwitchOnPay(_Action, frozen=True, tag="switch_on_pay"):
    """Switch paying by balance on."""


class TakeOutLines(_Action, frozen=True, tag="take_out_lines"):
    """Split the order in one tap: these lines go to an order of their own, the rest stays here."""

    line_ids: tuple[str, ...]


class ChangeSeller(_Action, frozen=True, tag="change_seller"):
    """Buy a line's goods from another seller."""

    line_id: str
    sku_id: str
    merchant_id: str
    amount_minor: int


class ChangeScene(_Action, frozen=True, tag="change_scene"):
    """Place the same order in a scene where the method is offered."""

    scene: str


class UseClient(_Action, frozen=True, tag="use_client"):
    """Go on at another client (an app, a browser) that can run the method."""

    client: str


class ChangeDelivery(_Action, frozen=True, tag="change_delivery"):
    """Take another way of delivery."""

    delivery: str


class PayPartBy(_Action, frozen=True, tag="pay_part_by"):
    """Pay this much by another method and the rest by the refused one."""

    method: str
    amount_minor: int


class ChoosePlan(_Action, frozen=True, tag="choose_plan"):
    """Take another plan of the same method."""

    plan: str


class RemoveCoupon(_Action, frozen=True, tag="remove_coupon"):
    """Do without a discount."""

    coupon_id: str
    amount_minor: int


class AcceptPrice(_Action, frozen=True, tag="accept_price"):
    """Accept the price as it is now."""

    payable_minor: int


class Reorder(_Action, frozen=True, tag="reorder"):
    """Place the same order again: the old one has expired or was closed."""


class Wait(_Action, frozen=True, tag="wait"):
    """Wait until this instant; the method becomes usable by itself."""

    until_ms: int


Action = (
    Repay
    | PayOverdue
    | SettleLoan
    | TopUp
    | BindCard
    | OpenMoneyAccount
    | Activate
    | SignAgreement
    | GiveConsent
    | Reopen
    | Unlock
    | VerifyIdentity
    | SetPayPassword
    | StepUp
    | SwitchOnPay
    | TakeOutLines
    | ChangeSeller
    | ChangeScene
    | UseClient
    | ChangeDelivery
    | PayPartBy
    | ChoosePlan
    | RemoveCoupon
    | AcceptPrice
    | Reorder
    | Wait
)


class Route(msgspec.Struct, frozen=True):
    """A way whose outcome others decide; shown with its usual time, never as a certain remedy."""

    kind: str
    """apply | await_application | appeal | human_review | ask_seller | other_account | dispute_report |
    settlement_plan | contact_support | bank | raise_limit | add_goods | channel_back | step_up | id_check |
    other_method"""
    usual_ms: int | None = None
    """The usual time until an answer."""
    from_ms: int | None = None
    """Not before this instant (a cooling-off)."""


class Cost(msgspec.Struct, frozen=True, order=True):
    """What a remedy costs the buyer, compared in this order: money spent or given up, waiting, steps.

    Moving one's own money (repaying a debt, topping up) is no cost in itself: `outlay_minor` says it apart.
    """

    money_minor: int = 0
    wait_ms: int = 0
    steps: int = 0
    outlay_minor: int = 0


class Remedy(msgspec.Struct, frozen=True):
    """One or more actions, in order, after which the method has been shown to be usable, and what they cost."""

    actions: tuple[Action, ...]
    cost: Cost
    plan: str | None = None
    """The plan that is usable afterwards, when it is not the one refused."""
