// Drives the local Alipay gateway with the npm package `alipay-sdk`: a command a line on standard input, its outcome as
// a line on standard output. The first line says where the package is and how to make the client.

import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { value: first } = await lines.next();
const { folder, config } = JSON.parse(first);
const { AlipaySdk } = createRequire(path.join(folder, 'anything.js'))('alipay-sdk');
const sdk = new AlipaySdk(config);

const verbs = {
  exec: ({ method, params }) => sdk.exec(method, params, { validateSign: true }),
  pageExec: ({ method, verb, params }) => sdk.pageExec(method, verb, params),
  sdkExec: ({ method, params }) => sdk.sdkExec(method, params),
  curl: ({ verb, path: where, options }) => sdk.curl(verb, where, options),
  notify: ({ params }) => sdk.checkNotifySignV2(params),
};

for await (const line of lines) {
  const command = JSON.parse(line);
  try {
    say({ done: await verbs[command.do](command) });
  } catch (error) {
    say({ failed: { name: error.name, message: error.message, code: error.code, status: error.responseHttpStatus } });
  }
}
