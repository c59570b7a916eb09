// One call by the published npm client for Jeepay: node node_client.mjs '{"sdk", "url", "mchNo", "appId", "key", "call", "params"}'
// prints what the client gives its caller, or what it throws, as JSON. Nothing of the client is changed.
import { pathToFileURL } from "node:url";

const asked = JSON.parse(process.argv[2]);
const { appConfig, Pay } = await import(pathToFileURL(`${asked.sdk}/dist/index.js`).href);
appConfig.setApiUrl(asked.url);
appConfig.setMchNo(asked.mchNo);
appConfig.setAppId(asked.appId);
appConfig.setApiKey(asked.key);
try {
  console.log(JSON.stringify({ data: await Pay[asked.call](asked.params) }));
} catch (error) {
  console.log(JSON.stringify({ thrown: error.constructor.name }));
}
