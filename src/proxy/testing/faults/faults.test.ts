/** Every fault of a backend with every way of a client to leave, once warm; bench/proxy/leaks.mjs is the long form. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasOpenssl, selfSigned } from '../certificates.ts';
import { createFront } from '../front.ts';
import { type FaultyBackends, faults, faultyBackends } from './backends.ts';
import { leavers } from './clients.ts';
import { attack, faultyEndpoints, faultyOptions, faultyPlan, fillEveryLimit } from './run.ts';

const place = { address: '127.77.13.2', port: 8080, securePort: 8443 };
const combinations = faults.length * leavers.length;
const MEGABYTE = 1_048_576;
/** More than the clients need at once; a multiple of four, as every fourth request is copied. */
const room = { requests: 48, connections: 160, silenceMs: 600 };
const front = createFront(faultyOptions(room));
let backends: FaultyBackends;
const wrong: string[] = [];

beforeAll(async () => {
  backends = await faultyBackends(place.address, 8100);
  await front.endpoints(faultyEndpoints(place.address, backends));
  await front.plan(faultyPlan(place, room, hasOpenssl() ? selfSigned('cert', 'a.example') : undefined));
});

afterAll(async () => {
  await front.close();
  await backends.close();
});

const { silenceMs } = room;
const round = (requests: number) =>
  attack(place, { requests, lanes: 44, silenceMs, wrong: (what) => wrong.push(what) });
const held = (kind: string) => process.getActiveResourcesInfo().filter((one) => one === kind).length;

function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Idle connections have gone, on both sides. */
async function settled(): Promise<void> {
  await expect.poll(() => held('TCPSocketWrap'), { timeout: 10_000 }).toBe(0);
  front.records.length = 0;
}

it('faulty backends and clients that vanish leave nothing behind', { timeout: 60_000 }, async () => {
  await round(combinations);
  await settled();
  const [timers, before] = [held('Timeout'), heap()];
  await round(combinations);
  const flags = new Set(front.records.map(({ flag }) => flag));
  for (const flag of ['connect_failed', 'timeout', 'reset', 'protocol', 'truncated'] as const)
    expect(flags).toContain(`upstream_${flag}`);
  expect(flags).toContain('client_closed');
  await settled();
  expect(held('Timeout')).toBeLessThanOrEqual(timers);
  expect(heap() - before).toBeLessThan(2 * MEGABYTE);
  expect(wrong).toEqual([]);
  expect(await fillEveryLimit(place, backends, room)).toEqual([]);
});
