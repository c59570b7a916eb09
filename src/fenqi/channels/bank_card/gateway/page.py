"""The local UnionPay's page: where a buyer gives a card, and what it says when that does not go."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.gateway.side import Form, Trade

TESTS = (
    ("00", "付款成功", "pays"), ("51", "余额不足", "not enough"), ("05", "银行拒绝", "declined"),
    ("54", "卡已过期", "expired"), ("61", "金额超限", "over the limit"), ("09", "银行处理中", "stays pending"),
)  # fmt: skip
GOOD_CARD = "9156010100000000007"
_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;margin:0;background:#eef3f8;color:#17212b}"
    "main{max-width:30rem;margin:2rem auto;background:#fff;padding:1.5rem 2rem;border-top:6px solid #0b4f8a}"
    "h1{font-size:1.2rem;margin:0 0 1rem}dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}dd{margin:0}"
    "input{font:inherit;width:100%;padding:.5rem;box-sizing:border-box}"
    "button{font:inherit;margin:.75rem .25rem 0 0;padding:.5rem 1rem;background:#0b4f8a;color:#fff;border:0}"
    ".no{border-left:4px solid #b3261e;padding-left:.75rem}details{margin-top:1.5rem}"
)


def _document(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def yuan(amount_minor: int) -> str:
    """Fen as yuan."""
    return f"¥{amount_minor // 100:,}.{amount_minor % 100:02d}"


def card_page(trade: Trade, action: str, leave: str) -> str:
    """The page of a trade that waits for a card. `action` takes the form, `leave` goes back to the shop."""
    said = ""
    if trade.declined:
        said = f"<p class='no' role='alert'>{escape(issuer.answer_of(trade.declined)[1])}</p>"
    rows = "".join(
        f"<tr><td><code>{GOOD_CARD if iso == '00' else issuer.test_card(iso)}</code></td><td>{zh} / {en}</td></tr>"
        for iso, zh, en in TESTS
    )
    body = (
        f"<dl><dt>商品 / Goods</dt><dd>{escape(trade.subject)}</dd>"
        f"<dt>金额 / Amount</dt><dd><strong>{yuan(trade.amount_minor)}</strong></dd></dl>{said}"
        f"<form method='post' action='{escape(action)}'><label>银行卡号 / Card number"
        "<input name='number' inputmode='numeric' autocomplete='off' required pattern='[0-9 ]{13,23}'></label>"
        f"<button>付款 / Pay {yuan(trade.amount_minor)}</button></form>"
        f"<p><a href='{escape(leave)}'>返回商户 / Back to the shop</a></p>"
        f"<details><summary>测试卡 / Test cards</summary><table>{rows}</table></details>"
    )
    return _document("银联在线支付（本地网关）", body)


def refused_page(code: str, message: str) -> str:
    """The page that says why UnionPay takes no payment."""
    body = f"<p class='no' role='alert'>{escape(message)}</p><p>respCode {escape(code)}</p>"
    return _document("银联在线支付（本地网关）", body)


def way_back(form: Form) -> str:
    """A page that posts the buyer's browser to frontUrl by itself."""
    return _document("返回商户", f"{hidden_form(form.url, form.fields)}<script>document.forms[0].submit()</script>")


def hidden_form(url: str, fields: Mapping[str, str]) -> str:
    """A form of hidden fields with one button."""
    inputs = "".join(
        f"<input type='hidden' name='{escape(name)}' value='{escape(value)}'>" for name, value in fields.items()
    )
    return f"<form method='post' action='{escape(url)}'>{inputs}<button>返回商户 / Back to the shop</button></form>"
