/**
 * The data plane before faulty backends as a process of its own: `leaks-subject ROOM`, a JSON of `Room`; told over the IPC channel what to serve
 * and asked what it holds.
 */
import { readdirSync } from 'node:fs';
import { createProxy } from '../../src/proxy/proxy.ts';
import { faultyOptions, type Room } from '../../src/proxy/testing/faults/run.ts';
import type { Plan } from '../../src/routing/plan/plan.ts';
import type { Endpoint } from '../../src/service/endpoints.ts';

type Wish =
  | { readonly plan: Plan; readonly endpoints: Record<string, readonly Endpoint[]> }
  | { readonly census: true };

let requests = 0;
let strayErrors = 0;
const flags: Record<string, number> = {};
const proxy = createProxy({
  ...faultyOptions(JSON.parse(process.argv[2] ?? '') as Room),
  onAccess: ({ flag = 'none' }) => {
    requests++;
    flags[flag] = (flags[flag] ?? 0) + 1;
  },
});
const say = (answer: object) => process.send?.(answer);
proxy.onReport(({ generation, listeners }) => generation === 2 && say({ listeners }));
process.on('uncaughtException', (error) => {
  strayErrors++;
  console.error(error);
});

/** What is held now, by kind. */
function census(): object {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const kinds: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const { heapUsed, external, rss } = process.memoryUsage();
  const files = readdirSync('/proc/self/fd').length;
  return { kinds, files, heap: heapUsed + external, rss, requests, flags, strayErrors };
}

process.on('message', (wish: Wish) => {
  if ('census' in wish) return say(census());
  proxy.send({ type: 'endpoints', generation: 1, changed: wish.endpoints });
  proxy.send({ type: 'plan', generation: 2, plan: wish.plan, bindings: {} });
});
process.on('disconnect', () => process.exit(0));
