"""Answers are believed on the exact bytes that were signed, and on nothing else."""

from __future__ import annotations

import json

import msgspec
import pytest
from tests.channels.alipay.conftest import Pair

from fenqi.channels.alipay.sign import sign, v3_answer_text
from fenqi.channels.alipay.wire import Distrusted, read_v2, read_v3
from fenqi.channels.contract import Credential, Passage
from fenqi.channels.http import Answer

QUERY = "alipay.trade.query"
NAME = "alipay_trade_query_response"
replace = msgspec.structs.replace


def answer(body: str, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode())


@pytest.mark.parametrize(
    "inner",
    [
        '{"code":"10000","msg":"Success","trade_no":"1"}',
        '{ "code" : "10000",\n "qr_code":"https:\\/\\/qr.example\\/a" , "trade_no":"1"}',
        '{"code":"10000","subject":"手机\\"},\\"sign\\":\\"x","fund":[{"a":{"b":"}"}}],"trade_no":"1"}',
        '{"trade_no":"1","code":"10000","amount":1.10}',
    ],
)
@pytest.mark.parametrize("shape", ['{"%s":%s,"sign":"%s"}', '{\n "%s" :  %s  ,\n"sign"\t: "%s"\n}\n'])
def test_the_signature_stands_over_the_bytes_as_sent(passage: Passage, alipays: Pair, inner: str, shape: str) -> None:
    told = read_v2(passage, QUERY, answer(shape % (NAME, inner, sign(inner, alipays.private))))
    assert told.code == "" and told.text("trade_no") == "1"


def test_sign_may_stand_first(passage: Passage, alipays: Pair) -> None:
    inner = '{"code":"10000"}'
    told = read_v2(passage, QUERY, answer(f'{{"sign":"{sign(inner, alipays.private)}","{NAME}":{inner}}}'))
    assert told.code == ""


def test_a_decoy_inside_a_value_is_not_taken_for_the_answer(passage: Passage, alipays: Pair) -> None:
    inner = json.dumps({"code": "10000", "subject": f'"{NAME}":{{"code":"10000","trade_no":"9"}}', "trade_no": "1"})
    told = read_v2(passage, QUERY, answer(f'{{"{NAME}":{inner},"sign":"{sign(inner, alipays.private)}"}}'))
    assert told.text("trade_no") == "1"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 200), ("<html>502</html>", 200), ("[]", 200), ("{}", 200), ('{"sign":"x"}', 200),
        (f'{{"{NAME}":{{"code":"10000"}}}}', 200),
        (f'{{"{NAME}":{{"code":"10000"}},"sign":"QUJD"}}', 200),
        (f'{{"{NAME}":"10000","sign":"QUJD"}}', 200),
        (f'{{"{NAME}":{{"code":"10000"}},"sign":7}}', 200),
        (f'{{"{NAME}":{{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}}}', 503),
    ],
)  # fmt: skip
def test_what_is_not_proven_is_not_believed(passage: Passage, body: str, status: int) -> None:
    with pytest.raises(Distrusted):
        read_v2(passage, QUERY, answer(body, status))


def test_one_byte_more_is_another_answer(passage: Passage, alipays: Pair) -> None:
    inner = '{"code":"10000","total_amount":"1.00"}'
    signature = sign(inner, alipays.private)
    for other in (inner.replace("1.00", "9.00"), inner.replace(":", ": ", 1), '{"total_amount":"1.00","code":"10000"}'):
        with pytest.raises(Distrusted):
            read_v2(passage, QUERY, answer(f'{{"{NAME}":{other},"sign":"{signature}"}}'))


def test_an_answer_of_another_method_is_none_of_this(passage: Passage, alipays: Pair) -> None:
    inner = '{"code":"10000"}'
    body = f'{{"alipay_trade_close_response":{inner},"sign":"{sign(inner, alipays.private)}"}}'
    with pytest.raises(Distrusted):
        read_v2(passage, QUERY, answer(body))


def test_an_unsigned_error_is_marked(passage: Passage) -> None:
    body = '{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.invalid-app-id"}}'
    told = read_v2(passage, QUERY, answer(body))
    assert (told.code, told.message, told.is_signed) == ("isv.invalid-app-id", "Invalid Arguments", False)


def test_an_answer_may_cross_a_rotation(passage: Passage, ours: Pair, alipays: Pair) -> None:
    newest = Credential(2, {**passage.credential.values, "alipay_public_key": ours.public})
    rotated = replace(passage, credential=newest, accepted=(newest, *passage.accepted))
    for pair in (ours, alipays):
        inner = '{"code":"10000"}'
        body = f'{{"{NAME}":{inner},"sign":"{sign(inner, pair.private)}"}}'
        assert read_v2(rotated, QUERY, answer(body)).code == ""


def v3(pair: Pair, body: str, status: int = 200, **changes: str) -> Answer:
    signature = sign(v3_answer_text("1", "n", body.encode()), pair.private)
    headers = {"alipay_timestamp": "1", "alipay_nonce": "n", "alipay_signature": signature, **changes}
    return answer(body, status, **headers)


def test_v3_answers(passage: Passage, alipays: Pair, ours: Pair) -> None:
    assert read_v3(passage, v3(alipays, '{"trade_no":"1"}')).text("trade_no") == "1"
    refused = read_v3(passage, v3(alipays, '{"code":"TRADE_NOT_EXIST","message":"交易不存在"}', 400))
    assert (refused.code, refused.message, refused.is_signed) == ("TRADE_NOT_EXIST", "交易不存在", True)
    assert read_v3(passage, v3(alipays, '{"code":"ANY","message":"m"}', 500)).is_unsure
    assert not read_v3(passage, answer('{"code":"invalid-app-id","message":"m"}', 401)).is_signed
    for bad in (
        v3(ours, "{}"), v3(alipays, "{}", alipay_timestamp="2"), v3(alipays, "{}", alipay_nonce="m"),
        answer('{"trade_no":"1"}'), v3(alipays, "[]"), v3(alipays, "not json"),
    ):  # fmt: skip
        with pytest.raises(Distrusted):
            read_v3(passage, bad)
