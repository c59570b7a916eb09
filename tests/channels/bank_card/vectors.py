"""Real messages of UnionPay's test system, as published in the tests of the open-source client yansongda/pay (MIT).

Facts of a protocol: three answers and one back notice to test merchant 777290058167151, with UnionPay's own signatures
and signing certificate. They decide what is signed.
"""

from __future__ import annotations

from textwrap import wrap

_CERTIFICATE = (
    "MIIEYzCCA0ugAwIBAgIFEDkwhTQwDQYJKoZIhvcNAQEFBQAwWDELMAkGA1UEBhMCQ04xMDAuBgNVBAoTJ0NoaW5hIEZpbmFuY2lh"
    "bCBDZXJ0aWZpY2F0aW9uIEF1dGhvcml0eTEXMBUGA1UEAxMOQ0ZDQSBURVNUIE9DQTEwHhcNMjAwNzMxMDExOTE2WhcNMjUwNzMx"
    "MDExOTE2WjCBljELMAkGA1UEBhMCY24xEjAQBgNVBAoTCUNGQ0EgT0NBMTEWMBQGA1UECxMNTG9jYWwgUkEgT0NBMTEUMBIGA1UE"
    "CxMLRW50ZXJwcmlzZXMxRTBDBgNVBAMMPDA0MUA4MzEwMDAwMDAwMDgzMDQwQOS4reWbvemTtuiBlOiCoeS7veaciemZkOWFrOWP"
    "uEAwMDAxNjQ5NTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAMHNa81t44KBfUWUgZhb1YTx3nO9DeagzBO5ZEE9UZkd"
    "K5+2IpuYi48weYisCaLpLuhrwTced19w2UR5hVrc29aa2TxMvQH9s74bsAy7mqUJX+mPd6KThmCrt5LriSQ7rDlD0MALq3yimLvk"
    "EdwYJnvyzA6CpHntP728HIGTXZH6zOL0OAvTnP8uRCHZ8sXJPFUkZcbG3oVpdXQTJVlISZUUUhsfSsNdvRDrcKYY+bDWTMEcG8Zu"
    "MZzLg0N+/spSwB8eWz+4P87nGFVlBMviBmJJX8u05oOXPyIcZu+CWybFQVcS2sMWDVZysPeT3tPuBDbFWmKQYuu+gT83PM3G6zMC"
    "AwEAAaOB9DCB8TAfBgNVHSMEGDAWgBTPcJ1h6518Lrj3ywJA9wmd/jN0gDBIBgNVHSAEQTA/MD0GCGCBHIbvKgEBMDEwLwYIKwYB"
    "BQUHAgEWI2h0dHA6Ly93d3cuY2ZjYS5jb20uY24vdXMvdXMtMTQuaHRtMDkGA1UdHwQyMDAwLqAsoCqGKGh0dHA6Ly91Y3JsLmNm"
    "Y2EuY29tLmNuL1JTQS9jcmw3NTAwMy5jcmwwCwYDVR0PBAQDAgPoMB0GA1UdDgQWBBTmzk7XEM/J/sd+wPrMils39rJ2/DAdBgNV"
    "HSUEFjAUBggrBgEFBQcDAgYIKwYBBQUHAwQwDQYJKoZIhvcNAQEFBQADggEBAJLbXxbJaFngROADdNmNUyVxPtbAvK32Ia0EjgDh"
    "/vjn1hpRNgvL4flHNsGNttCy8afLJcH8UnFJyGLas8v/P3UKXTJtgrOj1mtothv7CQa4LUYhzrVw3UhL4L1CTtmE6D1Kf3+c2Fj6"
    "TneK+MoK9AuckySjK5at6a2GQi18Y27gVF88Nk8bp1lJvzOwPKd8R7iGFotuF4/8GGhBKR4k46EYnKCodyIhNpPdQfpaN5AKeS7x"
    "eLSbFvPJHYrtBsI48jUK/WKtWBJWhFH+Gty+GWX0e5n2QHXHW6qH62M0lDo7OYeyBvG1mh9uQ0C300Eo+XOoO4M1WvsRBAF13g9R"
    "PSw="
)
CERTIFICATE = "\r\n".join(["-----BEGIN CERTIFICATE-----", *wrap(_CERTIFICATE, 64), "-----END CERTIFICATE-----"])

QUERY = {
    "accNo": (
        "cDg4jpD9tKxlI4si91lomXcSjQeOyOxEFLmMc9BLmsJrLPMqmN0JIUkJUD1MVYCfpXRsGKFGDwerpR0LylHiKXnB1ZX0zS4OleY2"
        "kSvgX6J2X24TPHkY+EKS7F2kfuYW8yHF+OgUEoUqPa/WO/qzigGci3sSGLiD/uCIljuDOfskQdgXYpsQANPmmgqCOC+TqtDSjYfP"
        "KZ3o6SbJJSn4lOvUy3FF/re7PFCShVghJVO1XRJFw0d0VNUkhWs2VzdUl1ZwkDVXcFWB39REEOWDHNEBoBgvkfVSb9j6KV7K3gUN"
        "XkfqHqk7zBTtg67jAi/kudAN4U1k9Y5UMGj5mVbu2g=="
    ),
    "accessType": "0",
    "bizType": "000000",
    "currencyCode": "156",
    "encoding": "utf-8",
    "issuerIdentifyMode": "0",
    "merId": "777290058167151",
    "orderId": "pay20240105145046",
    "origRespCode": "00",
    "origRespMsg": "成功[0000000]",
    "queryId": "442401051450467846498",
    "respCode": "00",
    "respMsg": "成功[0000000]",
    "settleAmt": "1",
    "settleCurrencyCode": "156",
    "settleDate": "0105",
    "signMethod": "01",
    "signPubKeyCert": CERTIFICATE,
    "signature": (
        "sEJYCC94bvr5KJ12EVeid6kVoyviipkieSp5I9r7baINMZdTxJZlFLIpqI/58s/QMgQXO7I7W0d//YUYXgR2SxZy0n56df+oTUMi"
        "XEchwngF/ksiegh0HndsY9ZdYcfwqzD1repppuKGRhOmFL4oUZFPOdLZ8t6QJEcdpEKh21eZ1+fw+Fd2gAfBaIJTx1fg0ZNarvOh"
        "1AeeJu48c399p3DZKYxRX04sg5grr6By0GCE3h8UdmSWRRoEdiT/jMKB+xnSi+JL8x04NXfqbjSJcmMebw5uIZ3Bst93Aa2jR3Gg"
        "K+52j78Al8AIy4nmI0WncAmxAToMrN6AJZaUpj1S5Q=="
    ),
    "traceNo": "784649",
    "traceTime": "0105145046",
    "txnAmt": "1",
    "txnSubType": "01",
    "txnTime": "20240105145046",
    "txnType": "01",
    "version": "5.1.0",
}
VOID = {
    "accessType": "0",
    "bizType": "000000",
    "encoding": "utf-8",
    "merId": "777290058167151",
    "orderId": "cancelpay20240105164725",
    "origQryId": "652401051647252574008",
    "queryId": "652401051647252421528",
    "respCode": "00",
    "respMsg": "成功[0000000]",
    "signMethod": "01",
    "signPubKeyCert": CERTIFICATE,
    "signature": (
        "C3QoNG8pgA8Y8JRWPJBfnJCTI00ujWwNdA5dJC8Sq4oddIzc8E34jSJW9YLHTMkgB0AV6eZ7z7eGKCvq7UkOQf6mXM7agiCxPEAd"
        "uYVAQ74z+HZbdMhYwqkEMb4WulRdossDz+qtSi28C/+WM0jlXeJe695dfl7SjnVl0d3Pk5Mg1Xxpc64VRtR8l4iJuNxzVaDRHvIN"
        "MOrCa6NYg+W4hpyRJc3BM3Abg2O/9Zu+raTk9yjCEWl0t9C8K7Kym03wkXFhNBqUYG2OBIjqHMkTnUVQyRkARGv8uDcPAg7EYLk8"
        "T2U6NXqLIwEAvTc7yEik6YP3/27SqkwMquH4PXqo4w=="
    ),
    "txnAmt": "1",
    "txnSubType": "00",
    "txnTime": "20240105164725",
    "txnType": "31",
    "version": "5.1.0",
}
REFUND = {
    "accessType": "0",
    "bizType": "000000",
    "encoding": "utf-8",
    "merId": "777290058167151",
    "orderId": "refundpay20240105165842",
    "origQryId": "052401051658427862748",
    "queryId": "052401051658427863998",
    "respCode": "00",
    "respMsg": "成功[0000000]",
    "signMethod": "01",
    "signPubKeyCert": CERTIFICATE,
    "signature": (
        "c++EAuubwRkvr2MVyM9zyjbdH3RMRK/L1ttftpJ4fkl4ZSY1BjyRbTj5fx/2+Z/eH4dqPNfFEQt8egVVWhF/k7PaD8tLTaueeUIP"
        "wyjnEIWmqNtVbJtzKexCouGc8wtYDHZYxTJTgo6BW7GEgO5xD6Qpxq801Bb9Zto8uhn4BUP4HI7UsxHHIzP9JYhL2cqz2B8gb3AJ"
        "HpLMEBpYv+Kb3mwq8ZFgpGaieCAFFGGWImUx1+MgCzLFoe3SKlTF13nbr39Cd3AHuDJnbN+uG1N6AwUtLu12Zzq/6SM+/dqiE0v5"
        "SpvB/PeRj9KQeiGDRg/ho9larqB+D3y0FjU13EeHng=="
    ),
    "txnAmt": "1",
    "txnSubType": "00",
    "txnTime": "20240105165842",
    "txnType": "04",
    "version": "5.1.0",
}
NOTICE = {
    "accNo": (
        "ORRSXWY1kMr8UJNxGx9xKPuO0Uhm8JT8aQV3sWswJfIsj/grkjauH4soyAtiqB9XwQotZOwmUAs/pkMupUkfiX9npdFGGEUEc5gq"
        "q+lcEwyD7tLmd2WBzRvcEvvjAKMKwTCFDxmQbIrP48ocIVhPoZ87ZQtQM5MIyJYedrzPRlt6BzRddUPGU1gJwDA8APDx3iyNl8EA"
        "fenJw7DUDZimmhbE1VSRmQm/iqgJurI7juq/6ztDHZHv4ys1eN9JYkwhcKxCjsWpwXTSy0PGvDXhsAZsDuNXHsjI8JLhHXvTDaU2"
        "+gc289LZPiwpr4Ah/reIuPWrIHubchYm2XTqQlUAaw=="
    ),
    "accessType": "0",
    "bizType": "000201",
    "currencyCode": "156",
    "encoding": "utf-8",
    "exchangeRate": "0",
    "merId": "777290058167151",
    "orderId": "yansongda20220908132206",
    "queryId": "782209081322060674028",
    "respCode": "00",
    "respMsg": "success",
    "settleAmt": "1",
    "settleCurrencyCode": "156",
    "settleDate": "0908",
    "signMethod": "01",
    "signPubKeyCert": CERTIFICATE,
    "signature": (
        "JeA4S2+6TbGo9yjXDUvV5A2E3oJbunoCcZ66exN6xR3OH/5PNDK1VSV1Mq7XhVdxzkTeREUveiOYHalqoagRkh71nsHVvruwGbk6"
        "azygXSaawuO5tF67UIqNd4Mbufwh1KhbVpEkKbOETUvRhFcdon0fulE97I83eMSk52INHt8E1xk8NdbhyUadSlp+Uv30AKx70PpQ"
        "bTGmVS3PJfd+Whj0b7LnvZKeC+BS1kUOtIKlcZO+gBoTigvCIJqj51kBrcBCs+x+VaeGm7EYBBhGSERpfQhQ4n+eJBwLdBeZ0/dN"
        "bo3iELjvVMx0n9KoW4klvUJhaH5LALA8pV02SbZv4Q=="
    ),
    "traceNo": "067402",
    "traceTime": "0908132206",
    "txnAmt": "1",
    "txnSubType": "01",
    "txnTime": "20220908132206",
    "txnType": "01",
    "version": "5.1.0",
}
ALL = {"query": QUERY, "void": VOID, "refund": REFUND, "notice": NOTICE}
