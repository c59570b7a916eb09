"""`fenqi policy` over a database: listing, showing, linting, differences, and files out and in."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager

import openpyxl
import pytest
from tests import world
from typer.testing import CliRunner

from fenqi import staff
from fenqi.cli import app
from fenqi.demo import at_hand
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.settings import Settings
from fenqi.staff import Role

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def fenqi(urls, database, run):
    """Runs `fenqi` with arguments over the module's database, furnished, with Ann of the risk team."""

    async def furnished():
        ctx = world.context(database)
        await world.furnish(ctx)
        async with database.transaction() as tx:
            by = By("system:test", "the risk team", world.AT)
            await staff.hire(tx, new_id(), "ann", "Ann", PASSWORD, [Role.RISK], by)

    @contextmanager
    def here():
        yield Settings(database_url=urls.app, demo=True, secret=world.SECRET)

    run(furnished())
    runner = CliRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at_hand, "database", here)
        patch.setenv("COLUMNS", "200")
        yield lambda *words: runner.invoke(app, ["policy", *map(str, words)])


def test_list_and_show(fenqi):
    found = fenqi("list")
    assert found.exit_code == 0 and "2026-1 *" in found.stdout and "published" in found.stdout
    shown = fenqi("show", "2026-1", "--table", "goods")
    words = " ".join(shown.stdout.split())
    assert "credit-no-gold Payment method Fenqi Credit, Category Gold and jewellery →" in words
    assert "publish system:seed-checker checked against the dictionary" in words
    assert "类目" in fenqi("show", "2026-1", "--locale", "zh-CN").stdout
    none = fenqi("show", "nothing")
    assert (none.exit_code, "POLICY_UNKNOWN" in none.stderr) == (1, True)


def test_out_edited_in_and_what_differs(fenqi, tmp_path):
    sheet, document = tmp_path / "policy.xlsx", tmp_path / "policy.json"
    assert fenqi("export", "2026-1", sheet).exit_code == 0
    book = openpyxl.load_workbook(io.BytesIO(sheet.read_bytes()))
    goods = book["goods"]
    names = {cell.value.split(" [")[0]: cell.column for cell in goods[1]}
    row = next(cells[0].row for cells in goods.iter_rows(min_row=2) if cells[0].value == "credit-scan")
    goods.cell(row, names["→ max_minor"]).value = 200_000
    book.save(sheet)
    person = ("--as", "ann", "--why", "more by scanning", "--password", PASSWORD)
    wrong = fenqi("import", "cli-1", sheet, "--as", "ann", "--why", "x", "--password", "another password")
    assert (wrong.exit_code, "SIGN_IN_FAILED" in wrong.stderr) == (1, True)
    taken = fenqi("import", "cli-1", sheet, *person)
    assert (taken.exit_code, taken.stdout) == (0, "cli-1: save 2, draft; look at it with `fenqi policy lint cli-1`\n")
    said = fenqi("diff", "cli-1").stdout
    assert said == "Goods: in the rule credit-scan, Up to: ¥1,000.00 → ¥2,000.00.\n"
    assert fenqi("diff", "cli-1", "2026-1", "--locale", "zh-CN").stdout == (
        "商品准入：规则credit-scan变更：最高由¥1,000.00改为¥2,000.00。\n"
    )
    goods.cell(row, names["→ max_minor"]).value = "2,000.00"
    book.save(sheet)
    broken = fenqi("import", "cli-2", sheet, *person)
    assert broken.exit_code == 1
    assert f"goods!M{row}: '2,000.00': a whole number without separators" in broken.stderr
    assert "cli-2" not in fenqi("list").stdout, "nothing is begun for a file that can't be read"
    assert fenqi("export", "cli-1", document).exit_code == 0
    assert fenqi("lint", "cli-1").exit_code == fenqi("lint", document).exit_code == 0
    whole = json.loads(document.read_bytes())
    whole["numbers"] = {"apr_cap_ppm": 500_000}
    document.write_text(json.dumps(whole))
    linted = fenqi("lint", document)
    assert (linted.exit_code, linted.stdout.splitlines()[0]) == (2, "fault: numbers: a cost cap of 500000 ppm")
    assert fenqi("import", "cli-1", document, *person).stdout.startswith("cli-1: save 3, draft")
    for name in ("policy.jdm.json", "goods.csv"):
        assert fenqi("export", "cli-1", tmp_path / name, "--table", "goods").exit_code == 0
        assert fenqi("import", "cli-1", tmp_path / name, *person, "--table", "goods").exit_code == 0
    assert fenqi("export", "cli-1", tmp_path / "policy.pdf").exit_code == 1
