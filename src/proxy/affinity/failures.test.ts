/** Where requests of sessions go whose endpoint has failed them, and which cookies old clients can be given. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Affinity, SessionCookie } from '../../routing/plan/affinity.ts';
import type { Retry } from '../../routing/plan/plan.ts';
import { askFront, type PlainAnswer } from '../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront, type Front } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { takesNoSameSiteNone } from './same-site.ts';

const address = '127.87.4.1';
const port = 8080;
const places = ['127.87.4.2', '127.87.4.3', '127.87.4.4'] as const;
const refused = '127.87.4.9';
const cookie: SessionCookie = { type: 'cookie', name: 'sid', path: '/', secure: 'never' };
const affinity: Affinity = { scope: 'Test/test', carrier: cookie, mode: 'persistent' };
const modes = ['persistent', 'balanced'] as const;
const retry: Retry = {
  ...{ attempts: 2, statuses: [503], on: ['reset', 'timeout'] },
  ...{ backoffMs: 0, maxBackoffMs: 0, methods: 'idempotent' },
};
let front: Front;
const apps: RecordingBackend[] = [];

const fine = (name: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
const failing = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';

beforeAll(async () => {
  const upstream = { connectTimeoutMs: 300, minRetriesPerSecond: 1_000, maxConnectionsPerEndpoint: 3 };
  front = createFront({ affinitySecret: 'one for all of these tests', upstream });
  for (const place of places) apps.push(await recordingBackend(place, port));
});

beforeEach(async () => {
  for (const [i, app] of apps.entries()) app.answer(fine(places[i]!));
  await serve(...places);
  for (const app of apps) app.requests.length = 0;
});

afterAll(async () => {
  await front.close();
  for (const app of apps) await app.close();
});

const serve = (...listed: readonly string[]) => front.endpoints({ app: listed.map((one) => endpoint(one, port)) });
const use = (more: Partial<Affinity> = {}) =>
  front.plan(planOf([listener(address, port, [host('*', [route({ affinity: { ...affinity, ...more }, retry })])])]));
const appAt = (place: string) => apps[places.indexOf(place as (typeof places)[number])]!;
const lineOf = (answer: PlainAnswer) => `Cookie: ${answer.headers['set-cookie']?.split(';')[0]}`;
const ask = (...lines: readonly string[]) => askFront(address, port, { lines });

async function begin(): Promise<{ line: string; place: string }> {
  const answer = await ask();
  expect(answer.status).toBe(200);
  return { line: lineOf(answer), place: answer.body };
}

describe.each(modes)('a session (%s) whose endpoint fails', (mode) => {
  it('is sent to it again and again, and stays there', async () => {
    await use({ mode });
    const { line, place } = await begin();
    const app = appAt(place);
    app.answer(failing);
    app.requests.length = 0;
    const answer = await ask(line);
    expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
    expect(app.requests).toHaveLength(3);
    app.answer((_request, socket) => socket.destroy());
    expect((await ask(line)).status).toBe(502);
    app.answer(fine(place));
    expect((await ask(line)).body).toBe(place);
  });

  it('moves to the one that took the request where the plan says so', async () => {
    await use({ mode, moveOnFailure: true });
    const { line, place } = await begin();
    appAt(place).answer(failing);
    const moved = await ask(line);
    expect(moved.status).toBe(200);
    expect(moved.body).not.toBe(place);
    expect(lineOf(moved)).not.toBe(line);
    appAt(place).answer(fine(place));
    expect((await ask(lineOf(moved))).body).toBe(moved.body);
  });

  it('moves when that is not listed any more', async () => {
    await use({ mode });
    const { line, place } = await begin();
    await serve(...places.filter((one) => one !== place));
    const moved = await ask(line);
    expect([moved.status, moved.body === place]).toEqual([200, false]);
    expect((await ask(mode === 'balanced' ? line : lineOf(moved))).body).toBe(moved.body);
  });

  it('is tried elsewhere when it has only begun', async () => {
    await use({ mode });
    await serve(places[0], places[1]);
    apps[1]!.answer(failing);
    for (let i = 0; i < 6; i++) {
      const answer = await ask();
      expect([answer.status, answer.body]).toEqual([200, places[0]]);
      expect((await ask(lineOf(answer))).body).toBe(places[0]);
    }
    expect(apps[1]!.requests).not.toEqual([]);
  });

  it('cannot be reached: it waits for the endpoint to be gone from the list', async () => {
    await use({ mode });
    const { line, place } = await begin();
    const at = places.indexOf(place as (typeof places)[number]);
    await apps[at]!.close();
    try {
      const answer = await ask(line);
      expect([answer.status, answer.headers['set-cookie']]).toEqual([502, undefined]);
      expect((await front.record(front.records.length)).endpoint).toBe(`${place}:${port}`);
      await use({ mode, moveOnFailure: true });
      const moved = await ask(line);
      expect([moved.status, moved.body === place]).toEqual([200, false]);
    } finally {
      apps[at] = await recordingBackend(place, port, fine(place));
    }
  });

  it('is taken elsewhere, and does not move, while the endpoint has all the connections it may have', async () => {
    await use({ mode });
    const { line, place } = await begin();
    const waiting: (() => void)[] = [];
    appAt(place).answer((_request, socket) => waiting.push(() => socket.write(fine(place))));
    const held = [ask(line), ask(line), ask(line)];
    await expect.poll(() => waiting.length, { interval: 5 }).toBe(3);
    const meanwhile = await ask(line);
    expect([meanwhile.status, meanwhile.body === place, meanwhile.headers['set-cookie']]).toEqual([
      200,
      false,
      undefined,
    ]);
    for (const release of waiting) release();
    for (const answer of await Promise.all(held)) expect(answer.body).toBe(place);
  });
});

it('a session is not begun on an endpoint that cannot be reached', async () => {
  await serve(refused, places[0]);
  await use();
  for (let i = 0; i < 4; i++) {
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([200, places[0]]);
    expect((await ask(lineOf(answer))).body).toBe(places[0]);
  }
});

const old = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/59.0.3071.115 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/65.0.3325.181 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 12_1_4 like Mac OS X) AppleWebKit/605.1.15 Version/12.0 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_2) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0.2 Safari/605.1.15',
];
const young = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.87 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 13_3 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0',
  'curl/8.5.0',
  '',
];

describe('SameSite=None', () => {
  it('is known to be taken for Strict by some clients', () => {
    expect(old.filter((agent) => !takesNoSameSiteNone(agent))).toEqual([]);
    expect(young.filter(takesNoSameSiteNone)).toEqual([]);
    expect(takesNoSameSiteNone(undefined)).toBe(false);
  });

  it('is left out for these where the plan says so', async () => {
    const set = async (agent: string) => (await ask(`User-Agent: ${agent}`)).headers['set-cookie'];
    await use({ carrier: { ...cookie, sameSite: 'None', unlessUnsupported: true } });
    expect(await set(old[0]!)).toMatch(/^sid=[\w-]{20}; Path=\/; HttpOnly$/);
    expect(await set(young[0]!)).toMatch(/^sid=[\w-]{20}; Path=\/; SameSite=None; HttpOnly$/);
    expect((await ask()).headers['set-cookie']).toContain('SameSite=None');
    await use({ carrier: { ...cookie, sameSite: 'None' } });
    expect(await set(old[0]!)).toContain('SameSite=None');
    await use({ carrier: { ...cookie, sameSite: 'Lax', unlessUnsupported: true } });
    expect(await set(old[0]!)).toContain('SameSite=Lax');
  });
});
