/**
 * The data plane of a soak as a process of its own: `soak-subject WORLD WORKERS [WORKER-FILE]`, a JSON of `WorldOptions` and a
 * number of worker processes. Told over the IPC channel which generation to put in force, it says so when that is done;
 * asked for its memory, it collects and says.
 */
import { readFileSync } from 'node:fs';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import { createWorld, type WorldOptions } from '../../src/proxy/testing/soak/world.ts';
import { createProxyWorkers } from '../../src/proxy/workers/workers.ts';

type Wish = { readonly swap: number } | { readonly memory: true };

const [worldText = '', count = '0', file = ''] = process.argv.slice(2);
const world = createWorld(JSON.parse(worldText) as WorldOptions);
const findings: string[] = [];
const flags = new Map<string, number>();
const options: ProxyOptions = {
  onDiagnostic: ({ code, message }) => findings.push(`${code} ${message}`),
  onAccess: ({ flag }) => {
    if (flag !== undefined) flags.set(flag, (flags.get(flag) ?? 0) + 1);
  },
};
const workers =
  Number(count) > 0 ? createProxyWorkers(options, { count: Number(count), command: { file, args: [] } }) : undefined;
const proxy = workers ?? createProxy(options);
const say = (answer: object) => process.send?.(answer);

/** Endpoints and plan of a generation have numbers of their own. */
proxy.onReport(({ generation, listeners }) => {
  if (generation % 2 === 0) return;
  const unbound = Object.entries(listeners).filter(([, { bound }]) => !bound);
  say({ inForce: (generation - 1) / 2, unbound });
});

const residentBytes = (pid: number) =>
  1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

function memory(): void {
  // More than once: what finalizers let go of is collected by the next one.
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, external, rss: own } = process.memoryUsage();
  const rss = Math.max(own, ...(workers?.pids() ?? []).map(residentBytes));
  say({ memory: { heapUsed, external, rss }, findings, flags: Object.fromEntries(flags) });
}

process.on('message', (wish: Wish) => {
  if ('memory' in wish) return memory();
  const { swap } = wish;
  proxy.send({ type: 'endpoints', generation: swap * 2, changed: world.endpoints(swap) });
  proxy.send({ type: 'plan', generation: swap * 2 + 1, plan: world.plan(swap), bindings: {} });
});
process.on('disconnect', () => void proxy.close(0).then(() => process.exit(0)));
