"""Question texts made alike: width, case, script, brands, homophones, numbers, politeness and ways of saying the same.

What comes out is for the reader's eyes only, never shown: `§` stands for any brand of credit line, `¤` for one of cash
loans, `#` for any number (or the `***` that masks one).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

CREDIT, LOAN, NUMBER = "§", "¤", "#"

_TRADITIONAL = (
    "為開還這個們嗎關額過沒錢時間會說話對後來現點買賣貨單訂帳戶號碼證驗銀綁換機電腦網頁顯選項擇費續務員確認請"
    "問題謝復複凍結鎖設備辦協議簽約條審評減臨雙購車優紅禮贈預際幣業稅發運遞動離線掃維護錯誤異風險盜報訴師債貸"
    "徵聯絡繫係統級產樣麼幾歲學讓給總種類見覺聽讀寫記錄計擔壞據處將從應該當實裡裏邊進頭貝唄無與並萬億東經濟傳"
    "導變轉輸較難雖須領願響頻餘館馬體魚鳥黃齊龍兩張歷歸殘殺氣決況濫災獎獲環畢畫瞭礙祕稱穩筆範簡糧紀納純終組細"
    "紹絕緊緩編縮繳罰職聲臉舊藥術補裝製規視親觀訊註詢試詳誰調談諾講識譯負財貴貼資賬賠質贏跡蹤輕輛辭遲違遠適邏"
    "郵鄰醫釋針鈕銷鏈長門閉閃閱陰陸階隨隱雜靈靜頂順頓顧飯飲餓驚鬆麗黨齡啟啓嗰冇咗喺唔嘅"
)
_SIMPLIFIED = (
    "为开还这个们吗关额过没钱时间会说话对后来现点买卖货单订账户号码证验银绑换机电脑网页显选项择费续务员确认请"
    "问题谢复复冻结锁设备办协议签约条审评减临双购车优红礼赠预际币业税发运递动离线扫维护错误异风险盗报诉师债贷"
    "征联络系系统级产样么几岁学让给总种类见觉听读写记录计担坏据处将从应该当实里里边进头贝呗无与并万亿东经济传"
    "导变转输较难虽须领愿响频余馆马体鱼鸟黄齐龙两张历归残杀气决况滥灾奖获环毕画了碍秘称稳笔范简粮纪纳纯终组细"
    "绍绝紧缓编缩缴罚职声脸旧药术补装制规视亲观讯注询试详谁调谈诺讲识译负财贵贴资账赔质赢迹踪轻辆辞迟违远适逻"
    "邮邻医释针钮销链长门闭闪阅阴陆阶随隐杂灵静顶顺顿顾饭饮饿惊松丽党龄启启个没了在不的"
)
_TO_SIMPLIFIED = str.maketrans(_TRADITIONAL, _SIMPLIFIED)

_NUMBERS = re.compile(
    r"\*+|(?:rmb|[¥￥$])?\d[\d,.]*(?:\.\d+)?[%wk万千百]?"
    r"|[一二三四五六七八九十]?[百千万][一二三四五六七八九十百千万]*(?=[元块多])"
)
_APOSTROPHES = re.compile(r"[‘’`´]")
_NOT_TEXT = re.compile(rf"[^\w{CREDIT}{LOAN}{NUMBER}' -]+|_+")
_SPACES = re.compile(r"\s+")
_BETWEEN_HAN = re.compile(rf"(?<=[一-鿿{CREDIT}{LOAN}{NUMBER}]) (?=[一-鿿{CREDIT}{LOAN}{NUMBER}])")


class Words(NamedTuple):
    """What `words.toml` knows, made ready."""

    brands: Callable[[str], str]
    same: Callable[[str], str]
    fillers: Callable[[str], str]
    concepts: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def words() -> Words:
    """The words known, compiled once."""
    raw = tomllib.loads(files("fenqi.question").joinpath("words.toml").read_text(encoding="utf-8"))
    brands = dict.fromkeys(raw["credit_brands"], CREDIT) | dict.fromkeys(raw["loan_brands"], LOAN)
    fillers = dict.fromkeys(raw["fillers"], "")
    concepts = tuple((name, _any_of(patterns)) for name, patterns in raw["concepts"].items())
    return Words(_replacing(brands), _replacing(raw["same"]), _replacing(fillers), concepts)


def normalise(text: str) -> str:
    """The text in the one form that is learnt from and read; fillers are still there."""
    said = unicodedata.normalize("NFKC", text).lower().translate(_TO_SIMPLIFIED)
    said = _APOSTROPHES.sub("'", said)
    said = words().brands(said)
    said = _NUMBERS.sub(NUMBER, said)
    said = _SPACES.sub(" ", _NOT_TEXT.sub(" ", said)).strip()
    return words().same(_BETWEEN_HAN.sub("", said)).replace("'", "")


def bare(said: str) -> str:
    """A normalised text without its fillers; the text itself where nothing else is left."""
    cut = _SPACES.sub(" ", words().fillers(said)).strip()
    return _BETWEEN_HAN.sub("", cut) or said


def _replacing(table: dict[str, str]) -> Callable[[str], str]:
    """Replaces every key by its value, the longest first; Latin keys as whole words only."""
    pattern = re.compile("|".join(_piece(key) for key in sorted(table, key=lambda key: (-len(key), key))))
    return lambda text: pattern.sub(lambda found: table[found.group()], text)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(_piece(key) for key in patterns))


def _piece(key: str) -> str:
    if key.startswith("re:"):
        return key.removeprefix("re:")
    if not key.isascii() or not key[0].isalnum():
        return re.escape(key)
    return rf"(?<![a-z]){re.escape(key[:-1])}" if key.endswith("*") else rf"(?<![a-z]){re.escape(key)}(?![a-z])"
