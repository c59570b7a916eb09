"""Page strings, words of closed lists and refusals: in both languages, with the same places, for every key in use."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import fenqi
from fenqi.cashier import action
from fenqi.kernel.reason import CODES, Disclosure, Fixer, Layer, ScopeKind
from fenqi.texts import (
    Audience,
    Locale,
    action_time,
    filters,
    has,
    refusal,
    render_action,
    render_route,
    t,
    term,
    word,
)
from fenqi.texts.catalogue import catalogue
from fenqi.texts.refusals import UNEXPECTED, told_by
from fenqi.texts.template import parse

ZH, EN = Locale.ZH_CN, Locale.EN
SRC = Path(fenqi.__file__).parent


def places(source: str) -> set[str]:
    return {slot.name for slot in parse(source).slots()}


def test_both_languages_have_the_same_page_strings_with_the_same_places() -> None:
    zh, en = catalogue(ZH).pages, catalogue(EN).pages
    assert zh.keys() == en.keys()
    assert not [key for key in zh if places(zh[key]) != places(en[key])]
    assert not [key for key in zh if not zh[key].strip() or not en[key].strip()]


def test_both_languages_have_the_same_words_but_for_forms_inside_sentences() -> None:
    zh, en = catalogue(ZH).terms, catalogue(EN).terms
    labels = {name for name in zh.keys() | en.keys() if not name.endswith("_in_text")}
    assert labels <= zh.keys() & en.keys()
    assert not [name for name in labels if zh[name].keys() != en[name].keys()]
    assert not [
        name for terms in (zh, en) for name in terms.keys() - labels
        if not terms[name].keys() <= terms[name.removesuffix("_in_text")].keys()
    ]  # fmt: skip


def test_both_languages_have_the_same_actions_and_routes_with_the_same_places() -> None:
    for shelf in ("actions", "routes"):
        zh, en = getattr(catalogue(ZH), shelf), getattr(catalogue(EN), shelf)
        assert zh.keys() == en.keys()
        for kind in zh:
            assert places(zh[kind].label) == places(en[kind].label), kind
            assert places(zh[kind].sentence) == places(en[kind].sentence), kind
            assert zh[kind].variants.keys() == en[kind].variants.keys(), kind


def keys_in_use() -> Iterator[tuple[str, str]]:
    for path in [*SRC.glob("web/**/*.html"), *SRC.glob("web/**/*.py")]:
        for key in re.findall(r"""\bt\(\s*["']([a-z_]+(?:\.[a-zA-Z_0-9]+)+)["']\s*[,)]""", path.read_text()):
            yield key, path.name


def test_every_key_that_a_page_names_exists() -> None:
    assert not {(key, where) for key, where in keys_in_use() if key not in catalogue(EN).pages}


def refusals_in_use() -> set[str]:
    """Codes of every `Refusal` but those of the API's own door: its callers read the detail."""
    codes = set()
    for path in (each for each in SRC.rglob("*.py") if not each.is_relative_to(SRC / "web" / "api")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", "")
                if name in ("Refusal", "NotFound", "Forbidden", "Conflict", "Stale"):
                    codes.add(str(node.args[0].value))
    return {code for code in codes if code.isupper()}


def test_every_refusal_has_words() -> None:
    assert not [code for code in refusals_in_use() if told_by(code) == UNEXPECTED]


@pytest.mark.parametrize("locale", Locale)
def test_a_refusal_speaks_by_itself_by_its_reason_or_by_its_ending(locale: Locale) -> None:
    assert refusal("CODE_WRONG", EN, {"tries_left": 1}) == ("Wrong code", "Please check it and try again; 1 try left.")
    assert refusal("CODE_WRONG", EN)[1] == "Please check it and try again."
    assert refusal("ORDER_PAID", ZH)[0] == "订单已付款"
    assert refusal("LOAN_UNKNOWN", locale) == refusal("NOT_FOUND", locale)
    assert refusal("CARD_LOST_STOLEN", locale) == refusal("CARD_INVALID", locale)


def test_a_key_that_is_nowhere_is_logged_and_still_readable(caplog: pytest.LogCaptureFixture) -> None:
    assert t("cashier.no_such_key", EN) == "no such key"
    assert word("method", "no_such_method", ZH) == "no such method"
    assert refusal("NO_SUCH_CODE", EN) == refusal(UNEXPECTED, EN)
    assert len(caplog.records) == 3


def test_words_of_plans() -> None:
    assert [word("plan", "instalment_12", locale) for locale in Locale] == ["12期", "12 instalments"]
    assert term("plan_in_text", "instalment_3", EN) == "the 3-instalment plan"
    assert term("plan", "instalment_x", EN) is None


def test_filters_speak_one_language() -> None:
    said = filters(EN)
    assert said["money"](123456) == "¥1,234.56"
    assert said["word"]("credit", "method") == "Fenqi Credit"
    assert filters(ZH)["t"]("errors.NOT_FOUND.title") == "没有找到"


@pytest.mark.parametrize(
    ("done", "zh", "en"),
    [
        (action.Repay(479_900, pay_minor=480_500),
         ("还款¥4,799.00", "从小金库还款，连同费用最多¥4,805.00，额度马上恢复¥4,799.00。"),
         ("Repay ¥4,799.00", "Repay from your Money Account, at most ¥4,805.00 with fees, "
          "and ¥4,799.00 of your limit comes back at once.")),
        (action.Unlock("pin_locked"),
         ("重置密码并解锁", "用短信验证码重置支付密码，解除锁定。"),
         ("Reset password and unlock", "Reset your pay password with an SMS code to take the lock off.")),
        (action.TakeOutLines(("a", "b")),
         ("一键拆单", "把2款商品放到另一笔订单，其余商品继续付款。"),
         ("Split the order", "Move 2 items to an order of their own, and pay for the rest now.")),
        (action.PayPartBy("money_account", 100_000),
         ("用小金库付¥1,000.00", "用小金库付¥1,000.00，其余仍用您选的方式付。"),
         ("Pay ¥1,000.00 with the Money Account",
          "Pay ¥1,000.00 with the Money Account, and the rest the way you chose.")),
        (action.ChoosePlan("instalment_6"),
         ("改为分6期", "改为分6期，其他不变。"),
         ("Switch to the 6-instalment plan", "Switch to the 6-instalment plan; everything else stays.")),
    ],
)  # fmt: skip
def test_remedies_in_words(done: action.Action, zh: tuple[str, str], en: tuple[str, str]) -> None:
    assert render_action(done, ZH) == zh
    assert render_action(done, EN) == en


def test_names_from_data_stand_in_remedies() -> None:
    change = action.ChangeSeller("l", "s", "m", 599_900)
    assert render_action(change, EN, {"seller_name": "Aurora Phones"}).sentence == (
        "Buy the same goods from Aurora Phones for ¥5,999.00."
    )
    assert action_time("change_seller", EN) == "less than a minute"


def test_routes_say_their_usual_time() -> None:
    assert render_route("human_review", 2 * 86_400_000, None, ZH).sentence == (
        "由工作人员重新审核这个决定，通常2天内答复。"
    )
    assert render_route("apply", 600_000, 1795327500000, EN).sentence == (
        "Fill in your details and give your consent (from 22 Nov 2026, 14:05); "
        "you'll usually hear within 10 minutes. Whether it's approved is decided on review."
    )
    assert render_route("apply", None, None, ZH).sentence.endswith("通常几分钟内有结果，是否通过以审批为准。")


def test_whose_turn_it_is_has_words_for_every_fixer() -> None:
    assert not [fixer for fixer in Fixer if not has(f"cashier.turn_{fixer}", EN)]


def test_words_of_the_kernels_own_lists() -> None:
    lists: dict[str, Iterable[str]] = {
        "layer": Layer, "fixer": Fixer, "disclosure": Disclosure, "scope": ScopeKind, "audience": Audience,
        "group": {meta.group for meta in CODES.values()},
    }  # fmt: skip
    assert not [(name, code) for name, codes in lists.items() for code in codes if term(name, code, EN) is None]
