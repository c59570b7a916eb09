"""Every reason in words: complete for four audiences and two languages, whole with any value missing, discreet."""

import logging
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fenqi import cashier
from fenqi.kernel.reason import CODES, Disclosure, Reason, Scope, ScopeKind
from fenqi.texts import Audience, Locale, meaning, render_reason, tell, title, told_code
from fenqi.texts import reasons as reasons_module
from fenqi.texts.catalogue import Catalogue, catalogue
from fenqi.texts.template import MISSING, parse

ZH, EN = Locale.ZH_CN, Locale.EN
TWINS = {meta.twin for meta in CODES.values() if meta.twin}
HIDDEN = [code for code, meta in CODES.items() if meta.disclosure in (Disclosure.GENERIC, Disclosure.STAFF)]
STEP_UP = [code for code, meta in CODES.items() if meta.disclosure is Disclosure.STEP_UP]
FIELDS = ("title", "meaning", "buyer", "merchant", "support")

ADDED = {"method", "plan", "until_ms", "lines_count", "order_number"}
"""What `values_of` adds to observed and required values."""
BY_NAME = {"goods", "seller"}
"""What only pages can add, as `goods_name` and `seller_name`."""
OF_LATER_CHANNELS = {"bank_code"}
"""What the channels' adapters will observe."""

SAMPLES: dict[str, int | str] = {
    "method": "money_account", "methods": "alipay,bank_card", "scene": "scan_to_pay", "scenes": "mall,instalment_mall",
    "integrated_in": "mall", "capability": "split", "seller_kind": "third_party", "seller_status": "frozen",
    "delivery": "cash_on_delivery", "client": "web", "clients": "app", "region": "HK", "regions": "CN",
    "plan": "instalment_12", "prior_plan": "instalment_3", "category_name": "G", "categories_name": "G",
    "goods_name": "G", "seller_name": "S", "channel": "alipay", "currency": "USD", "currencies": "CNY",
    "money_account_state": "frozen", "terms": "3,6", "order_number": "A2B3", "open_attempt": "alipay",
    "agreement_required": "v2", "agreement_signed": "v1", "rule_id": "r7", "programme": "p1", "case": "C7",
    "bank_code": "51", "told_by": "alipay", "passed_over": "ali_main:banned", "passage_state": "banned",
}  # fmt: skip
"""A value for every place that is not a number, a date or an instant."""


def sample(name: str) -> tuple[str, int | str]:
    """A name and value that fill the place `name`."""
    for key in (name, f"{name}_name"):
        if key in SAMPLES:
            return key, SAMPLES[key]
    if name.endswith("_on"):
        return name, "2026-11-22"
    assert name.endswith(("_minor", "_ms", "_count", "_ppm", "_days")) or name in ("age", "age_min", "age_max"), name
    return name, 1795327500000 if name.endswith("_ms") else 123456


def places(code: str, field: str, locale: Locale) -> set[str]:
    source = getattr(catalogue(locale).reasons[code], field)
    return {slot.name for slot in parse(source).slots()} if source else set()


def all_texts() -> Iterator[tuple[str, str, Locale, str]]:
    for locale in Locale:
        for code, texts in catalogue(locale).reasons.items():
            for field in FIELDS:
                if getattr(texts, field) is not None:
                    yield code, field, locale, getattr(texts, field)


@pytest.mark.parametrize("locale", Locale)
def test_the_catalogue_and_the_dictionary_hold_the_same_codes(locale: Locale) -> None:
    assert catalogue(locale).reasons.keys() == CODES.keys()


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("audience", Audience)
def test_every_code_speaks_to_everyone_without_any_value(
    audience: Audience, locale: Locale, caplog: pytest.LogCaptureFixture
) -> None:
    for code in CODES:
        for stepped_up in (False, True):
            said = render_reason(code, audience, locale, stepped_up=stepped_up)
            assert len(said) > 8, code
            assert not re.search(r"[{}\[\]|]", said), said
            assert MISSING not in said
            assert title(code, locale, audience, stepped_up=stepped_up)
    assert not caplog.records


def test_whatever_values_are_missing_sentences_stay_whole() -> None:
    dice = random.Random(1)
    broken = re.compile(
        r"[，。；：、]{2}|（）|“”|^[，。；、,.;: ]|[,;:.] ?[,;:.]|  | [.,;:)]|\( |\(\)|，[）]|—|: *$|：$|：[，。；]"
    )
    for code, field, locale, source in all_texts():
        if field in ("title", "meaning"):
            continue
        names = sorted({slot.name for slot in parse(source).slots()})
        for _ in range(6 if names else 1):
            values = dict(sample(name) for name in names if dice.random() < 0.6)
            audience = Audience(field)
            said = render_reason(code, audience, locale, values, stepped_up=True)
            assert not broken.search(said), f"{code} {field}: {said} {values}"
            assert said[-1] in "。.", f"{code} {field}: {said}"


def test_values_stand_in_optional_parts_only() -> None:
    for code, field, _, source in all_texts():
        assert not list(parse(source).bare_slots()), f"{code}.{field}"


def test_titles_and_meanings_hold_no_values() -> None:
    assert not [code for code, field, _, source in all_texts() if field in ("title", "meaning") and "{" in source]


def test_both_languages_say_the_same_values() -> None:
    for code in CODES:
        for field in FIELDS:
            assert places(code, field, ZH) == places(code, field, EN), f"{code}.{field}"


def test_every_place_is_filled_by_some_gate() -> None:
    gates = Path(cashier.__file__).parent / "gates"
    observed = {name for path in gates.glob("*.py") for name in re.findall(r'"([a-z_]+)"\s*[:\]]', path.read_text())}
    known = observed | ADDED | BY_NAME | OF_LATER_CHANNELS
    for code in CODES:
        for field in ("buyer", "merchant", "support"):
            assert places(code, field, EN) <= known, f"{code}.{field}"


def test_hidden_codes_have_no_words_for_buyers_and_the_twins_words_carry_no_values() -> None:
    for locale in Locale:
        assert [code for code, texts in catalogue(locale).reasons.items() if texts.buyer is None] == [
            code for code in catalogue(locale).reasons if code in HIDDEN
        ]
        for code in TWINS:
            assert not places(code, "buyer", locale), code


@pytest.mark.parametrize("locale", Locale)
def test_a_buyer_cannot_tell_hidden_codes_apart(locale: Locale) -> None:
    values = {"until_ms": 1795327500000, "programme": "secret", "method": "credit", "room_minor": 5}
    for code in HIDDEN + STEP_UP:
        twin = CODES[code].twin
        assert twin is not None
        assert told_code(code, Audience.BUYER) == twin
        assert render_reason(code, Audience.BUYER, locale, values) == render_reason(twin, Audience.BUYER, locale)
        assert title(code, locale) == title(twin, locale)
    for code in HIDDEN:
        assert told_code(code, Audience.BUYER, stepped_up=True) == CODES[code].twin


def test_words_of_hidden_codes_stand_nowhere_in_what_buyers_and_merchants_read() -> None:
    secret = {
        ZH: ("套现", "欺诈", "制裁", "名单", "盗", "评分", "破解", "代理", "敞口", "风控"),
        EN: ("cash-out", "fraud", "sanction", "watch", "stolen", "score", "rooted", "proxy", "exposure"),
    }
    for locale, words in secret.items():
        for code in CODES:
            for audience in (Audience.BUYER, Audience.MERCHANT):
                said = render_reason(code, audience, locale).lower()
                assert not [word for word in words if word in said and code != "RISK_MERCHANT_FLAGGED"], said


@pytest.mark.parametrize("code", STEP_UP)
def test_a_buyer_who_has_confirmed_their_identity_is_told_exactly(code: str) -> None:
    assert told_code(code, Audience.BUYER, stepped_up=True) == code
    exact = render_reason(code, Audience.BUYER, EN, stepped_up=True)
    assert exact != render_reason(code, Audience.BUYER, EN)


@pytest.mark.parametrize("locale", Locale)
def test_merchants_read_one_sentence_for_everything_personal_to_the_buyer(locale: Locale) -> None:
    personal = [code for code, meta in CODES.items() if meta.group in "ABCDEG" and code != "RISK_MERCHANT_FLAGGED"]
    values = {"method": "credit", "overdue_minor": 123456, "available_minor": 77, "until_ms": 1795327500000, "age": 17}
    said = {render_reason(code, Audience.MERCHANT, locale, values) for code in personal}
    assert len(said) == 1
    assert "1,234.56" not in said.pop()


def test_the_limit_is_told_with_its_shortfall() -> None:
    reason = Reason(
        "LIMIT_INSUFFICIENT", "credit", Scope(ScopeKind.ACCOUNT),
        {"available_minor": 120_000}, {"payable_minor": 599_900, "shortfall_minor": 479_900}, policy_version="1",
    )  # fmt: skip
    assert tell(reason, Audience.BUYER, ZH).sentence == (
        "这笔订单占用¥5,999.00额度，您现在可用¥1,200.00，还差¥4,799.00。分期付款也按全额占用额度。"
    )
    assert tell(reason, Audience.BUYER, EN).sentence == (
        "This order takes ¥5,999.00 of your limit; you have ¥1,200.00 available, so ¥4,799.00 is missing. "
        "Instalments take up the full amount too."
    )
    assert tell(reason, Audience.RISK, EN).sentence == (
        "LIMIT_INSUFFICIENT · The available limit is below the payable amount (instalments take the full amount too)"
        " · method=credit · available=¥1,200.00 · payable=¥5,999.00 · shortfall=¥4,799.00"
    )


def test_names_from_data_and_words_of_closed_lists() -> None:
    reason = Reason("GOODS_CATEGORY_EXCLUDED", "credit", Scope(ScopeKind.LINE, ("1",)), {"category": "gold"})
    assert tell(reason, Audience.BUYER, ZH, names={"category_name": "黄金"}).sentence == (
        "黄金不能用白条购买。把它单独下单，其余商品就可以继续。"
    )
    assert tell(reason, Audience.BUYER, ZH).sentence.startswith("订单里有商品不能用白条购买")
    scene = Reason("METHOD_NOT_IN_SCENE", "money_account", Scope(ScopeKind.METHOD), {"scene": "scan_to_pay"},
                   {"scenes": "mall,partner_store"})  # fmt: skip
    assert tell(scene, Audience.BUYER, EN).sentence == (
        "The Money Account isn't offered in scan-to-pay purchases yet. "
        "You can order in the mall or partner stores instead, or pay another way."
    )


def test_a_value_required_and_observed_alike_keeps_both() -> None:
    reason = Reason("OVERDUE_CURRENT", "credit", Scope(ScopeKind.ACCOUNT), {"overdue_minor": 5}, {"overdue_minor": 0})
    assert tell(reason, Audience.RISK, EN).sentence.endswith(" · overdue=¥0.05 · required_overdue=¥0.00")


def test_a_reason_behind_another_says_so_and_principal_reasons_speak_for_themselves() -> None:
    behind = Reason("LIMIT_INSUFFICIENT", "credit", Scope(ScopeKind.ACCOUNT), depends_on="CREDIT_NOT_OPENED")
    assert tell(behind, Audience.BUYER, ZH).sentence == "请先处理“还没有开通白条”，之后才能确认这一项。"
    principal = Reason("CR_DEBT_BURDEN", "credit", Scope(ScopeKind.ACCOUNT), depends_on="CREDIT_APPLICATION_REJECTED")
    told = tell(principal, Audience.BUYER, EN, stepped_up=True)
    assert told.code == "CR_DEBT_BURDEN"
    assert told.sentence.startswith("Your existing repayments are high for your income")


def test_what_hides_behind_a_hidden_code_does_not_name_it() -> None:
    behind = Reason("LIMIT_INSUFFICIENT", "credit", Scope(ScopeKind.ACCOUNT), depends_on="CREDIT_CLOSED_BY_LENDER")
    assert "withdrawn" not in tell(behind, Audience.BUYER, EN).sentence
    assert title("CREDIT_UNDER_ASSESSMENT", EN) in tell(behind, Audience.BUYER, EN).sentence


def test_a_text_missing_in_one_language_is_said_in_the_other_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without(locale: Locale) -> Catalogue:
        whole = catalogue(locale)
        kept = {code: texts for code, texts in whole.reasons.items() if locale is ZH or code != "AMOUNT_CHANGED"}
        return Catalogue(kept, whole.actions, whole.routes, whole.terms, whole.shared, whole.pages)

    monkeypatch.setattr(reasons_module, "catalogue", without)
    with caplog.at_level(logging.ERROR):
        assert meaning("AMOUNT_CHANGED", EN) == "下单后价格或优惠发生变化"
    assert "no text for AMOUNT_CHANGED in en" in caplog.text
