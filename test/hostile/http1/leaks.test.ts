/**
 * Thousands of hostile requests and responses, several at once: afterwards there are no more sockets, timers or bytes
 * than before. FAIRWAY_HOSTILE_ROUNDS says how many; the default is what a test run has time for.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFront } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import type { Backdrop } from '../../../src/proxy/testing/sockets.ts';
import { badBackend } from './bad-backend.ts';
import { requestCases } from './requests/index.ts';
import { responseCases } from './responses/index.ts';
import { dialFrom, inLanes, laneAddress, sleep, type Target } from './run.ts';

const rounds = Number(process.env.FAIRWAY_HOSTILE_ROUNDS ?? 2_000);
const LANES = 48;
const ours: Target = { address: '127.83.5.7', port: 8080 };

const front = createFront({
  client: { headTimeoutMs: 300, bodyTimeoutMs: 300, keepAliveTimeoutMs: 300, lingerMs: 200, halfCloseGraceMs: 200 },
  upstream: { responseTimeoutMs: 200, idleTimeoutMs: 200 },
});
let backend: Backdrop;

beforeAll(async () => {
  backend = await badBackend({ ...ours, port: 8081 }, responseCases);
  await front.endpoints({ app: [endpoint(ours.address, 8081)] });
  await front.plan(planOf([listener(ours.address, ours.port, [host('*', [route()])])]));
});

afterAll(async () => {
  await front.close();
  await backend.close();
});

/** Bytes for the proxy: every row of both tables in turn. */
const messages: readonly string[] = [
  ...requestCases.map(({ bytes }) => bytes),
  ...responseCases.map(({ method = 'GET', lines = '' }, i) => `${method} /${i} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`),
];

/** Four ways to leave. */
const leave = [
  (socket: Socket) => socket.end(),
  (socket: Socket) => socket.destroy(),
  (socket: Socket) => socket.resetAndDestroy(),
  () => {},
] as const;
type Socket = Awaited<ReturnType<typeof dialFrom>>['socket'];

async function attack(round: number, lane: number): Promise<void> {
  const client = await dialFrom(laneAddress(lane), ours);
  client.send(messages[round % messages.length]!);
  // Now and then nobody waits for an answer.
  if (round % 5 !== 0) await client.until((text) => text !== '', 30).catch(() => undefined);
  leave[round % leave.length]!(client.socket);
  await client.closed(round % 4 === 3 ? 20 : 5).catch(() => undefined);
  client.socket.destroy();
}

const run = (count: number) => inLanes([...Array(count).keys()], LANES, attack);

async function settled(): Promise<void> {
  await expect.poll(() => backend.sockets.size, { timeout: 15_000 }).toBe(0);
  await expect.poll(() => resources('TCPSocketWrap'), { timeout: 15_000 }).toBe(0);
  await sleep(50);
}

const resources = (kind: string) => process.getActiveResourcesInfo().filter((one) => one === kind).length;

function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

it(`${rounds} rounds leave no sockets, timers or memory behind`, { timeout: 60_000 + rounds * 20 }, async () => {
  // What is made once: compiled code, buffers that are used again.
  await run(Math.min(rounds, messages.length));
  front.records.length = 0;
  await settled();
  const timers = resources('Timeout');
  const before = heap();
  await run(rounds);
  expect(front.records.length).toBeGreaterThan(rounds / 2);
  front.records.length = 0;
  await settled();
  expect(resources('Timeout')).toBeLessThanOrEqual(timers);
  expect(heap() - before).toBeLessThan(2 * 1024 * 1024);
  const client = await dialFrom(laneAddress(0), ours);
  client.send('GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await client.closed()).toMatch(/\r\n\r\nok$/);
  client.socket.destroy();
});
