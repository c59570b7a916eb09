"""Question texts made alike, numbers masked, and methods recognised by name."""

from __future__ import annotations

import pytest

from fenqi.question import mask, named
from fenqi.question.features import Features
from fenqi.question.normalise import bare, normalise


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("花呗怎么还钱", "§怎么还款"),
        ("花被如何還錢", "§怎么还款"),
        ("ＢａｉＴｉａｏ limit", "§ limit"),
        ("I can't use pay-later", "i cant use §"),
        ("满***元可以分期吗", "满#元可以分期吗"),
        ("满 ￥1,000.00 元", "满#元"),
        ("借呗为啥没了", "¤为什么没了"),
        ("分起付款 余期了", "分期支付逾期了"),
        ("installments not available", "instalment not available"),
    ],
)
def test_texts_are_made_alike(text: str, said: str) -> None:
    assert normalise(text) == said


def test_politeness_is_left_out_but_never_everything() -> None:
    assert bare(normalise("请问一下，我的花呗额度呢")) == "§额度"
    assert bare(normalise("请问")) == "请问"


def test_concepts_are_the_same_in_both_languages() -> None:
    assert {"LIMIT", "INSTALMENT", "CANNOT"} <= set(Features("有额度不能分期").concepts)
    assert {"LIMIT", "INSTALMENT", "CANNOT"} <= set(Features("I have limit but can't use instalments").concepts)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("卡号 6222 0200 1234 5678 付不了", "卡号 *** 付不了"),
        ("身份证11010519491231002X过期了", "身份证***过期了"),
        ("13800138000收不到验证码", "***收不到验证码"),
        ("write to a.b@example.org", "write to ***"),
        ("额度5000分12期", "额度5000分12期"),
    ],
)
def test_what_could_be_a_number_of_a_person_is_masked(text: str, kept: str) -> None:
    assert mask.masked(text) == kept


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("微信支付不能用", "wechat_pay"),
        ("my bank card was declined", "bank_card"),
        ("小金库不能付款", "money_account"),
        ("微信里花呗不能用", None),
        ("为什么不能分期", None),
    ],
)
def test_the_method_named(text: str, method: str | None) -> None:
    assert named.method_named(text) == method
