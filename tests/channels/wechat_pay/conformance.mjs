// Drives a gateway with the npm package wechatpay-axios-plugin, and judges our notices with it.
//
// One JSON document comes in by standard input: {module, do, baseURL, mchid, serial, privateKey, certs, apiV3Key, …}.
// One goes out: what `do` found. Started by test_conformance_axios.py.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const given = JSON.parse(readFileSync(0, 'utf8'));
const { Wechatpay, Aes, Rsa, Formatter, Hash } = createRequire(`${given.module}/`)('wechatpay-axios-plugin');
const { mchid, serial, privateKey, certs, baseURL } = given;
const client = new Wechatpay({ baseURL, mchid, serial, privateKey, certs, proxy: false });
const transactions = client.v3.pay.transactions;

const byNumber = (number) => ({ params: { mchid }, out_trade_no: number });
const body = (answer) => answer.data;
const refusal = (error) => ({ status: error.response?.status, code: error.response?.data?.code });

async function order({ appid, notifyUrl, outNo, closedNo, openid }) {
  const common = { appid, mchid, description: '一部手机', notify_url: notifyUrl, amount: { total: 12345, currency: 'CNY' } };
  const native = await transactions.native.post({ ...common, out_trade_no: outNo }).then(body);
  const jsapi = await transactions.jsapi.post({ ...common, out_trade_no: closedNo, payer: { openid } }).then(body);
  const waiting = await transactions.outTradeNo.$out_trade_no$.get(byNumber(outNo)).then(body);
  const close = await transactions.outTradeNo.$out_trade_no$.close.post({ mchid }, { out_trade_no: closedNo });
  const closed = await transactions.outTradeNo.$out_trade_no$.get(byNumber(closedNo)).then(body);
  const absent = await transactions.outTradeNo.$out_trade_no$.get(byNumber('0'.repeat(32))).catch(refusal);
  return {
    code_url: native.code_url, prepay_id: jsapi.prepay_id, waiting: waiting.trade_state, close: close.status,
    closed: closed.trade_state, absent,
  };
}

async function afterwards({ outNo, outRefundNo }) {
  const paid = await transactions.outTradeNo.$out_trade_no$.get(byNumber(outNo)).then(body);
  const byId = await transactions.id.$transaction_id$.get({ params: { mchid }, transaction_id: paid.transaction_id }).then(body);
  const refund = await client.v3.refund.domestic.refunds.post({
    out_trade_no: outNo, out_refund_no: outRefundNo, amount: { refund: 345, total: 12345, currency: 'CNY' },
  }).then(body);
  const asked = await client.v3.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no: outRefundNo }).then(body);
  return { paid, same: JSON.stringify(paid) === JSON.stringify(byId), refund, asked };
}

async function bill({ dayOn }) {
  const said = await client.v3.bill.tradebill.get({ params: { bill_date: dayOn, bill_type: 'ALL' } }).then(body);
  const token = new URL(said.download_url).searchParams.get('token');
  const file = await client.v3.billdownload.file.get({ params: { token }, responseType: 'arraybuffer' }).then(body);
  return { sha1: said.hash_value === Hash.sha1(file), ...Formatter.castCsvBill(file) };
}

async function certificates({ apiV3Key }) {
  const { data } = await client.v3.certificates.get().then(body);
  return data.map(({ serial_no: number, encrypt_certificate: sealed }) => ({
    number, pem: Aes.AesGcm.decrypt(sealed.ciphertext, apiV3Key, sealed.nonce, sealed.associated_data),
  }));
}

async function notice({ headers, text, apiV3Key }) {
  const key = Rsa.from(certs[headers['wechatpay-serial']], Rsa.KEY_TYPE_PUBLIC);
  const signed = Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], text);
  const { resource, event_type: event } = JSON.parse(text);
  return {
    holds: Rsa.verify(signed, headers['wechatpay-signature'], key),
    event,
    told: JSON.parse(Aes.AesGcm.decrypt(resource.ciphertext, apiV3Key, resource.nonce, resource.associated_data)),
  };
}

async function write({ platformKey, platformSerial, apiV3Key, told }) {
  const [nonce, timestamp, iv] = [Formatter.nonce(), `${Formatter.timestamp()}`, Formatter.nonce(12)];
  const text = JSON.stringify({
    id: 'EV-2018022511223320873', create_time: '2026-05-01T10:00:00+08:00', resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS', summary: '支付成功',
    resource: {
      original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM', nonce: iv, associated_data: 'transaction',
      ciphertext: Aes.AesGcm.encrypt(JSON.stringify(told), apiV3Key, iv, 'transaction'),
    },
  });
  const key = Rsa.from(platformKey, Rsa.KEY_TYPE_PRIVATE);
  return {
    text,
    headers: {
      'wechatpay-timestamp': timestamp, 'wechatpay-nonce': nonce, 'wechatpay-serial': platformSerial,
      'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, nonce, text), key),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
    },
  };
}

const verbs = { order, afterwards, bill, certificates, notice, write };
console.log(JSON.stringify(await verbs[given.do](given)));
