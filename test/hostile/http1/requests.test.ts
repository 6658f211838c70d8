/**
 * Hostile and odd requests, raw over sockets: each ends in the right answer, and a backend gets what it may get and
 * nothing else. The same bytes then go through nginx and HAProxy: what both refuse is not forwarded here either.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend, type SeenRequest } from '../../../src/proxy/testing/backend.ts';
import { createFront } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import { acceptedRequests } from './accepted.ts';
import type { RequestCase, Seen } from './case.ts';
import { contentOf, doubts } from './form.ts';
import { absence, type Judge, type JudgeName, startJudge } from './judges.ts';
import { requestCases, requestTables } from './requests/index.ts';
import { dialFrom, inLanes, laneAddress, quiet, settle, statusesOf, type Target, takeSeen } from './run.ts';

const ours: Target = { address: '127.83.5.1', port: 8080 };
const ourBackend: Target = { address: '127.83.5.1', port: 8081 };
const judgeAt = { nginx: '127.83.5.2', haproxy: '127.83.5.3' } as const;
const LANES = 24;
const JUDGE_LANES = 48;

interface Outcome {
  readonly text: string;
  readonly closed: boolean;
  readonly seen: readonly SeenRequest[];
}

const front = createFront({
  client: { maxHeadBytes: 4_096, maxTargetBytes: 1_024, maxHeaders: 20 },
  relay: { maxChunkExtensionBytes: 32, maxTrailerBytes: 256 },
});
const backends: RecordingBackend[] = [];
const outcomes = new Map<RequestCase, Outcome>();

interface Sitting {
  readonly judge: Judge;
  readonly backend: RecordingBackend;
  /** Whole requests that it has forwarded of each case. */
  readonly forwarded: Map<RequestCase, number>;
}

const sittings: Sitting[] = [];

/** Sends a case to this proxy; a connection that should be open carries another request afterwards. */
async function run(one: RequestCase, lane: number, backend: RecordingBackend): Promise<Outcome> {
  const from = laneAddress(lane);
  const client = await dialFrom(from, ours);
  client.send(one.bytes);
  if (one.halfClose) client.socket.end();
  if (!one.closed) {
    await settle(client, (text) => statusesOf(text).length >= one.statuses.length, 8_000);
    client.send('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  }
  const closed = await client.closed(8_000).then(
    () => true,
    () => false,
  );
  client.socket.destroy();
  return { text: client.text(), closed, seen: takeSeen(backend, from) };
}

/** How many whole requests a judge forwards of a case. It names clients with their ports. */
async function forwards({ judge, backend }: Sitting, one: RequestCase, restMs: number): Promise<() => number> {
  const client = await dialFrom(laneAddress(0), judge);
  const name = `${laneAddress(0)}:${client.socket.localPort}`;
  client.send(one.bytes);
  if (one.halfClose) client.socket.end();
  await quiet(client, 2_000, restMs);
  client.socket.destroy();
  return () => takeSeen(backend, name).length;
}

async function judgeBy(name: JudgeName): Promise<void> {
  const reason = absence(name);
  if (reason) {
    console.warn(reason);
    return;
  }
  const at = { address: judgeAt[name], port: 8081 };
  const backend = await recordingBackend(at.address, at.port);
  backends.push(backend);
  const judge = await startJudge(name, { address: at.address, port: 8080 }, at);
  const sitting = { judge, backend, forwarded: new Map<RequestCase, number>() };
  sittings.push(sitting);
  const counts = await inLanes(requestCases, JUDGE_LANES, (one) => forwards(sitting, one, 60));
  requestCases.forEach((one, i) => {
    sitting.forwarded.set(one, counts[i]!());
  });
}

async function runOurs(): Promise<void> {
  const backend = await recordingBackend(ourBackend.address, ourBackend.port);
  backends.push(backend);
  await front.endpoints({ app: [endpoint(ourBackend.address, ourBackend.port)] });
  await front.plan(planOf([listener(ours.address, ours.port, [host('*', [route({ match: {} })])])]));
  const results = await inLanes(requestCases, LANES, (one, lane) => run(one, lane, backend));
  requestCases.forEach((one, i) => {
    outcomes.set(one, results[i]!);
  });
}

beforeAll(async () => {
  await Promise.all([runOurs(), judgeBy('nginx'), judgeBy('haproxy')]);
});

afterAll(async () => {
  await front.close();
  for (const { judge } of sittings) await judge.close();
  for (const backend of backends) await backend.close();
});

const title = (one: RequestCase): [string, RequestCase] => [`RFC ${one.rfc} ${one.name}`, one];

function expectSeen(request: SeenRequest | undefined, wanted: Seen, bytes: string): void {
  expect(request).toBeDefined();
  const { line, lines } = request!;
  const own = /[^\r\n]+/.exec(bytes)![0];
  if (wanted.line !== undefined) expect(line).toBe(wanted.line);
  else if (line !== 'GET /next HTTP/1.1') expect([own, own.replace(/1\.0$/, '1.1'), line]).toContain(line);
  for (const field of wanted.has ?? []) expect(lines).toContain(field);
  if (wanted.lacks) expect(lines.join('\n')).not.toMatch(wanted.lacks);
  const { data, trailer } = contentOf(request!);
  if (wanted.data !== undefined) expect(data).toBe(wanted.data);
  if (wanted.trailer !== undefined) expect(trailer).toBe(wanted.trailer);
}

describe.each(Object.entries(requestTables))('%s', (_, table) => {
  it.each(table.map(title))('%s', (_, one) => {
    const { text, closed, seen } = outcomes.get(one)!;
    const next = one.closed ? 0 : 1;
    expect(statusesOf(text)).toEqual([...one.statuses, ...(next ? [200] : [])]);
    expect(closed).toBe(true);
    expect(seen.map(({ line }) => line)).toHaveLength(one.seen.length + next);
    expect(seen.flatMap(doubts)).toEqual([]);
    one.seen.forEach((wanted, i) => {
      expectSeen(seen[i], wanted, one.bytes);
    });
    if (one.closed && !one.halfClose && one.statuses.length > 0)
      expect(text.slice(text.lastIndexOf('HTTP/1.1 '))).toContain('\r\nConnection: close\r\n');
  });
});

describe('all together', () => {
  it('have names of their own', () => {
    const names = requestCases.map(({ rfc, name }) => `${rfc} ${name}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('leave the backend with nothing that belongs to nobody', async () => {
    await expect.poll(() => backends[0]!.unread()).toEqual([]);
    expect(backends[0]!.requests).toEqual([]);
  });
});

describe('what nginx and HAProxy both refuse', () => {
  /** More than either judge; asked once more and with patience before that is believed. */
  async function isLax(one: RequestCase): Promise<boolean> {
    // What becomes of a request whose sender has closed is a matter of options there, and of no rule.
    if (one.halfClose) return false;
    const count = outcomes.get(one)!.seen.length - (one.closed ? 0 : 1);
    if (sittings.some(({ forwarded }) => forwarded.get(one)! >= count)) return false;
    const again = await Promise.all(sittings.map((sitting) => forwards(sitting, one, 500)));
    return again.every((forwarded) => forwarded() < count);
  }

  it('is not forwarded here', async (context) => {
    if (sittings.length < 2) {
      context.skip('nginx and haproxy are needed for this');
      return;
    }
    const lax: string[] = [];
    for (const one of requestCases) if (await isLax(one)) lax.push(`${one.rfc} ${one.name}`);
    expect(lax).toEqual(Object.keys(acceptedRequests));
    // Else the judges have seen nothing at all.
    for (const { forwarded } of sittings) {
      expect([...forwarded.values()].filter((count) => count > 0).length).toBeGreaterThan(50);
    }
  });
});
