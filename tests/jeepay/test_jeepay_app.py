"""Apps by the API: an operator makes the first, the merchant's own key the next, and either takes one out of use."""

from __future__ import annotations

from tests.charging.mall import BY
from tests.jeepay.client import JeepayClient

from fenqi import merchant, staff
from fenqi.kernel.ids import new_id
from fenqi.merchant import Scope
from fenqi.staff import Role


def test_an_app_is_made_used_and_revoked(partner, run):
    async def story():
        ctx, http = partner.mall.ctx, partner.http
        async with ctx.database.transaction() as tx:
            await staff.hire(tx, new_id(), "operator", "The operator", "a staff password", list(Role), BY)
            scopes = [Scope.KEYS_MANAGE, Scope.ORDERS_WRITE, Scope.PAYMENTS_WRITE, Scope.REFUNDS_WRITE]
            key = await merchant.create_api_key(tx, partner.merchant_id, "all", scopes, BY)
            less = await merchant.create_api_key(tx, partner.merchant_id, "keys", scopes[:1], BY)
        async with ctx.database.transaction() as tx:
            at_work = await staff.sign_in(tx, "operator", "a staff password", ctx.now())
        new = {"label": "shop", "category": "bag"}
        weak = {"Authorization": f"Bearer {less}"}
        assert (await http.post("/v1/merchant/jeepay-apps", json=new, headers=weak)).status_code == 403
        headers = {"Authorization": f"Bearer {key}"}
        made = (await http.post("/v1/merchant/jeepay-apps", json=new, headers=headers)).json()
        client = JeepayClient(http, made["mch_no"], made["app_no"], made["app_secret"])
        assert (await client.query(mchOrderNo="none"))["code"] == 5003
        listed = (await http.get("/v1/merchant/jeepay-apps", headers=headers)).json()
        assert made["app_id"] in [one["app_id"] for one in listed] and made["app_secret"] not in str(listed)
        gone = await http.post(f"/v1/merchant/jeepay-apps/{made['app_id']}:revoke", json={}, headers=headers)
        assert gone.json()["revoked_at"] is not None
        answer = (await http.post("/api/pay/query", json=client.signed({"mchOrderNo": "none"}))).json()
        assert (answer["code"], answer["data"]["errCode"]) == (5004, "APP_UNKNOWN")
        wrong = await http.post("/v1/merchant/jeepay-apps", json=new | {"category": "no such"}, headers=headers)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "APP_INVALID")

        headers = {"Authorization": f"Bearer {at_work.token}"}
        path = f"/v1/merchants/{partner.merchant_id}/jeepay-apps"
        made = (await http.post(path, json=new | {"why": "the shop asked"}, headers=headers)).json()
        client = JeepayClient(http, made["mch_no"], made["app_no"], made["app_secret"])
        assert (await client.query(mchOrderNo="none"))["code"] == 5003
        gone = await http.post(f"{path}/{made['app_id']}:revoke", json={"why": "lost"}, headers=headers)
        assert gone.status_code == 200
        assert (await http.post("/api/pay/query", json=client.signed({"mchOrderNo": "none"}))).json()["code"] == 5004
        assert (await http.post(path, json=new, headers=headers)).status_code == 422, "staff say why"

    run(story())
