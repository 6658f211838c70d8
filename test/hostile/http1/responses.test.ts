/**
 * Hostile and odd responses of backends: each reaches the client as what it is, as a 502 or 504, or cut so that the
 * client notices; nobody ever gets another's. The same bytes through nginx and HAProxy: what both refuse is not relayed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFront } from '../../../src/proxy/testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../../../src/proxy/testing/plans.ts';
import type { Backdrop } from '../../../src/proxy/testing/sockets.ts';
import { acceptedResponses } from './accepted.ts';
import { type Answer, readAnswer } from './answer.ts';
import { badBackend } from './bad-backend.ts';
import { absence, type Judge, type JudgeName, startJudge } from './judges.ts';
import type { ResponseCase } from './response-case.ts';
import { responseCases, responseTables } from './responses/index.ts';
import { dialFrom, inLanes, laneAddress, settle, type Target } from './run.ts';

const ours: Target = { address: '127.83.5.4', port: 8080 };
const judgeAt = { nginx: '127.83.5.5', haproxy: '127.83.5.6' } as const;
const LANES = 24;

interface Outcome {
  readonly answer: Answer;
  readonly text: string;
  /** What another request got right afterwards. */
  readonly after: string;
}

const front = createFront({ upstream: { responseTimeoutMs: 1_000, maxHeadBytes: 8_192, maxHeaders: 50 } });
const backends: Backdrop[] = [];
const outcomes = new Map<ResponseCase, Outcome>();

interface Sitting {
  readonly judge: Judge;
  readonly outcomes: Map<ResponseCase, Outcome>;
}

const sittings: Sitting[] = [];

async function ask(target: Target, from: string, request: string, toHead: boolean): Promise<readonly [Answer, string]> {
  const client = await dialFrom(from, target);
  let failed = false;
  client.socket.on('error', () => {
    failed = true;
  });
  client.send(request);
  await settle(client, (text) => readAnswer(text, toHead, false).whole, 6_000);
  const text = client.text();
  // Waiting ends with the whole answer, or with the connection's end, orderly or not.
  const answer = readAnswer(text, toHead, !failed);
  client.socket.destroy();
  return [answer, text];
}

async function run(target: Target, index: number, lane: number): Promise<Outcome> {
  const { method = 'GET', version = '1.1', lines = '' } = responseCases[index]!;
  const from = laneAddress(lane);
  const request = `${method} /${index} HTTP/${version}\r\nHost: a\r\n${lines}\r\n`;
  const [answer, text] = await ask(target, from, request, method === 'HEAD');
  const [, after] = await ask(target, from, 'GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', false);
  return { answer, text, after };
}

async function runAll(target: Target, lanes: number): Promise<Map<ResponseCase, Outcome>> {
  const results = await inLanes([...responseCases.keys()], lanes, (index, lane) => run(target, index, lane));
  return new Map(responseCases.map((one, i) => [one, results[i]!]));
}

async function runOurs(): Promise<void> {
  backends.push(await badBackend({ ...ours, port: 8081 }, responseCases));
  await front.endpoints({ app: [endpoint(ours.address, 8081)] });
  await front.plan(planOf([listener(ours.address, ours.port, [host('*', [route()])])]));
  for (const [one, outcome] of await runAll(ours, LANES)) outcomes.set(one, outcome);
}

async function judgeBy(name: JudgeName): Promise<void> {
  const reason = absence(name);
  if (reason) {
    console.warn(reason);
    return;
  }
  const backend = { address: judgeAt[name], port: 8081 };
  backends.push(await badBackend(backend, responseCases));
  const judge = await startJudge(name, { ...backend, port: 8080 }, backend);
  const sitting = { judge, outcomes: new Map<ResponseCase, Outcome>() };
  sittings.push(sitting);
  for (const [one, outcome] of await runAll(judge, LANES)) sitting.outcomes.set(one, outcome);
}

beforeAll(async () => {
  await Promise.all([runOurs(), judgeBy('nginx'), judgeBy('haproxy')]);
});

afterAll(async () => {
  await front.close();
  for (const { judge } of sittings) await judge.close();
  for (const backend of backends) await backend.close();
});

const title = (one: ResponseCase): [string, ResponseCase] => [`RFC ${one.rfc} ${one.name}`, one];

describe.each(Object.entries(responseTables))('%s', (_, table) => {
  it.each(table.map(title))('%s', (_, one) => {
    const { answer, text, after } = outcomes.get(one)!;
    expect(answer.status).toBe(one.status);
    expect(answer.whole).toBe(one.broken !== true);
    expect(answer.rest).toBe('');
    expect(answer.interim.map(({ status }) => status)).toEqual(one.interim ?? []);
    if (one.body !== undefined) expect(answer.body).toBe(one.body);
    const lines = [...answer.interim, answer].flatMap((head) => head.lines);
    for (const line of one.has ?? []) expect(lines).toContain(line);
    if (one.lacks) expect(lines.join('\n')).not.toMatch(one.lacks);
    if (answer.status < 500) expect(lines.filter((line) => /^date: /i.test(line))).toHaveLength(1);
    expect(`${text}${after}`).not.toContain('poison');
    expect(after).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s);
  });
});

it('names are their own', () => {
  const names = responseCases.map(({ rfc, name }) => `${rfc} ${name}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

/** The backend's own answer, to its end. */
const relayed = ({ answer }: Outcome) => answer.whole && answer.status !== 502 && answer.status !== 504;

describe('what nginx and HAProxy both refuse', () => {
  /** Relayed by neither judge, also when asked once more. */
  async function isLax(one: ResponseCase, index: number): Promise<boolean> {
    if (!relayed(outcomes.get(one)!)) return false;
    if (sittings.some(({ outcomes }) => relayed(outcomes.get(one)!))) return false;
    const again = await Promise.all(sittings.map(({ judge }) => run(judge, index, 0)));
    return !again.some(relayed);
  }

  it('is not relayed here', async (context) => {
    if (sittings.length < 2) {
      context.skip('nginx and haproxy are needed for this');
      return;
    }
    const lax: string[] = [];
    for (const [index, one] of responseCases.entries()) {
      if (await isLax(one, index)) lax.push(`${one.rfc} ${one.name}`);
    }
    expect(lax).toEqual(Object.keys(acceptedResponses));
    // Else the judges have seen nothing at all.
    for (const { outcomes } of sittings) {
      expect([...outcomes.values()].filter(relayed).length).toBeGreaterThan(30);
    }
  });
});
