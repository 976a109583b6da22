// Run by node in Mastra's folder: syncs and lookups on demand. URL
// Its gateways' addresses are fixed, so fetch is sent to ours instead.
import { createInterface } from "node:readline";

process.env.MASTRA_DEV = "true";
process.env.MASTRA_AUTO_REFRESH_PROVIDERS = "false";
const base = process.argv[2];
const real = globalThis.fetch;
globalThis.fetch = (url, options) =>
  real(base + (String(url).includes("netlify") ? "/netlify.json" : "/models.json"), options);

const { GatewayRegistry } = await import("@mastra/core/llm");
const registry = GatewayRegistry.getInstance({ useDynamicLoading: true });
const table = { openai: { "gpt-4o": 1 } };

function nanoseconds(call, loops) {
  const began = process.hrtime.bigint();
  for (let n = 0; n < loops; n++) call();
  return Number(process.hrtime.bigint() - began) / loops;
}

const commands = {
  async sync() {
    const began = performance.now();
    await registry.syncGateways(true);
    const ms = performance.now() - began;
    if (!registry.lastRefreshTime) throw new Error("the sync failed");
    registry.lastRefreshTime = null;
    const models = Object.values(registry.getModels()).reduce((sum, ids) => sum + ids.length, 0);
    return { ms, models };
  },
  async warm() {
    const lookup = () => registry.getProviderConfig("openai");
    const nested = () => table.openai["gpt-4o"];
    const found = { "nested dict": [], getProviderConfig: [] };
    for (let n = 0; n < 15; n++) {
      found["nested dict"].push(nanoseconds(nested, 1e6));
      found.getProviderConfig.push(nanoseconds(lookup, 200));
    }
    return found;
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await commands[line.trim()]()));
}
