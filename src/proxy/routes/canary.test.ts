/** Which of two backends requests go to, over real connections. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Affinity } from '../../routing/plan/affinity.ts';
import type { Canary, Filter, WeightedBackend } from '../../routing/plan/plan.ts';
import { askFront } from '../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';

const address = '127.87.1.1';
const port = 8080;
const names = ['main', 'canary', 'spare'] as const;
const places = { main: '127.87.1.2', canary: '127.87.1.3', spare: '127.87.1.4' } as const;
const second = '127.87.1.5';
let front: Front;
const apps: RecordingBackend[] = [];

beforeAll(async () => {
  front = createFront({ upstream: { connectTimeoutMs: 300 } });
  for (const [name, place] of [...Object.entries(places), ['main', second] as const]) {
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
    apps.push(await recordingBackend(place, port, answer));
  }
});

beforeEach(() => ready());

afterAll(async () => {
  await front.close();
  for (const app of apps) await app.close();
});

/** Endpoints of all but those named. */
async function ready(...empty: readonly string[]): Promise<void> {
  const listed = names.map((name) => [name, empty.includes(name) ? [] : [endpoint(places[name], port)]] as const);
  await front.endpoints(Object.fromEntries(listed));
}

interface Use {
  readonly weights?: readonly [number, number];
  readonly affinity?: Affinity;
}

async function use(canary: Canary, { weights = [100, 0], affinity }: Use = {}): Promise<void> {
  const backends = [share('main', weights[0]), share('canary', weights[1])];
  await plan(route({ action: { type: 'forward', backends, canary }, ...(affinity && { affinity }) }));
}

const plan = (only: ReturnType<typeof route>) =>
  front.plan(
    planOf(
      [listener(address, port, [host('*', [only])])],
      names.map((name) => backend(name)),
    ),
  );

const ask = (...lines: readonly string[]) => askFront(address, port, { lines });
const who = async (...lines: readonly string[]) => (await ask(...lines)).body;

describe('a canary', () => {
  it('gets nothing that its pattern would cost too much for', async () => {
    await use({ header: { name: 'x-release', pattern: '(?:a?){300}b?' } });
    expect(await who('X-Release: aab')).toBe('canary');
    expect(await who(`X-Release: ${'a'.repeat(12_000)}`)).toBe('main');
  });

  it('gets requests whose header says so, and none whose header says not', async () => {
    await use({ header: { name: 'x-canary' } }, { weights: [0, 100] });
    expect(await who('X-Canary: always')).toBe('canary');
    expect(await who('X-Canary: never')).toBe('main');
    for (const line of ['X-Canary: Never', 'X-Canary: 1', 'X-Canary:', 'X-Other: never']) expect(await who(line)).toBe('canary'); // biome-ignore format: one line
    await use({ header: { name: 'x-canary' } });
    expect(await who('x-CANARY: always')).toBe('canary');
    for (const line of ['X-Canary: Always', 'X-Canary: 1', 'X-Canary:', 'X-Other: always']) expect(await who(line)).toBe('main'); // biome-ignore format: one line
  });

  it('gets requests whose header has the text that is wanted, and always and never mean nothing then', async () => {
    await use({ header: { name: 'x-canary', text: 'grüß' }, cookie: 'taste' });
    expect(await who(`X-Canary: ${Buffer.from('grüß').toString('latin1')}`)).toBe('canary');
    for (const line of ['X-Canary: always', 'X-Canary: never', 'X-Canary: gruss']) {
      expect(await who(line)).toBe('main');
      expect(await who(line, 'Cookie: taste=always')).toBe('canary');
    }
  });

  it('gets requests in whose header a pattern is found', async () => {
    await use({ header: { name: 'x-canary', pattern: 'eu-(west|north)' } });
    expect(await who('X-Canary: in eu-north-1')).toBe('canary');
    for (const line of ['X-Canary: EU-NORTH', 'X-Canary: always', 'X-Other: eu-west']) expect(await who(line)).toBe('main'); // biome-ignore format: one line
    expect(front.findings).toEqual([]);
  });

  it('gets nothing of requests with a header that a pattern cannot be held against', async () => {
    await use({ header: { name: 'x-canary', pattern: '(?=a)' }, cookie: 'taste' });
    expect(await who('X-Canary: a', 'Cookie: taste=always')).toBe('main');
    expect(await who('Cookie: taste=always')).toBe('canary');
    expect(front.findings.splice(0)).toEqual([expect.stringMatching(/^FW5221 .*pattern .* of the canary/)]);
  });

  it('gets requests whose cookie says so, where no header has decided', async () => {
    await use({ header: { name: 'x-canary' }, cookie: 'taste' }, { weights: [0, 100] });
    expect(await who('Cookie: a=b; taste=never')).toBe('main');
    expect(await who('X-Canary: always', 'Cookie: taste=never')).toBe('canary');
    expect(await who('X-Canary: never', 'Cookie: taste=always')).toBe('main');
    expect(await who('X-Canary: maybe', 'Cookie: taste=never')).toBe('main');
    await use({ cookie: 'taste' });
    expect(await who('Cookie: taste=always')).toBe('canary');
    for (const line of ['Cookie: taste=maybe', 'Cookie: mistaste=always', 'X: always']) expect(await who(line)).toBe('main'); // biome-ignore format: one line
  });

  it('gets its weight of the requests that no rule has decided', async () => {
    await use({ header: { name: 'x-canary' } }, { weights: [3, 1] });
    const met: string[] = [];
    for (let i = 0; i < 20; i++) {
      met.push(await who());
      expect(await who('X-Canary: never')).toBe('main');
    }
    expect(met.filter((name) => name === 'canary')).toHaveLength(5);
  });

  it('gets nothing while it has no endpoint', async () => {
    await ready('canary');
    await use({ header: { name: 'x-canary' } }, { weights: [0, 100] });
    expect(await who('X-Canary: always')).toBe('main');
    expect(await who()).toBe('main');
    await ready();
    expect(await who()).toBe('canary');
    await use({}, { weights: [0, 100] });
    await ready('canary');
    expect(await who()).toBe('main');
  });

  it('gets requests also when the first backend has no endpoint', async () => {
    await ready('main');
    await use({ header: { name: 'x-canary' } });
    expect(await who('X-Canary: always')).toBe('canary');
    expect((await ask()).status).toBe(503);
  });
});

describe('a canary with sessions', () => {
  const affinity: Affinity = {
    scope: 'Test/test',
    carrier: { type: 'cookie', name: 'sid', secure: 'never' },
    mode: 'persistent',
  };
  const begin = async (...lines: readonly string[]) => {
    const { body, headers } = await ask(...lines);
    return { body, cookie: `Cookie: ${headers['set-cookie']?.split(';')[0]}` };
  };

  it.each(['persistent', 'balanced'] as const)('keeps those that have begun there: %s', async (mode) => {
    await use({ header: { name: 'x-canary' } }, { affinity: { ...affinity, mode } });
    const there = await begin('X-Canary: always');
    const here = await begin();
    expect([there.body, here.body]).toEqual(['canary', 'main']);
    expect(await who(there.cookie)).toBe('canary');
    expect(await who(there.cookie, 'X-Canary: never')).toBe('canary');
    expect(await who(here.cookie, 'X-Canary: always')).toBe('main');
  });

  it('keeps one that has lost its endpoint, though it has no weight', async () => {
    await use({ header: { name: 'x-canary' } }, { affinity });
    await front.endpoints({ canary: [endpoint(second, port)] });
    const { body, cookie } = await begin('X-Canary: always');
    expect(body).toBe('main');
    await ready();
    const moved = await ask(cookie);
    expect(moved.body).toBe('canary');
    expect(moved.headers).toHaveProperty('set-cookie');
  });

  it('asks the rules for every request where sessions count within a share only', async () => {
    await use({ header: { name: 'x-canary' } }, { affinity: { ...affinity, split: 'weight' } });
    const { cookie } = await begin('X-Canary: always');
    expect(await who(cookie)).toBe('main');
    expect(await who(cookie, 'X-Canary: always')).toBe('canary');
  });
});

describe('what takes requests in the place of a backend without endpoints', () => {
  const set = (value: string): Filter => ({ type: 'request-headers', set: [['X-Way', value]], add: [], remove: [] });
  const otherwise = { backend: 'spare', filters: [set('spare')] };
  const seen = (name: (typeof names)[number]) => apps[names.indexOf(name)]!.requests;

  async function withOtherwise(more: Partial<WeightedBackend> = {}): Promise<void> {
    const one = { ...share('main', 1, [set('main')]), otherwise, ...more };
    await plan(route({ filters: [set('route')], action: { type: 'forward', backends: [one] } }));
    for (const app of apps) app.requests.length = 0;
  }

  it('takes them for as long as there are none, with its own filters', async () => {
    await withOtherwise();
    expect(await who()).toBe('main');
    expect(seen('main')[0]!.lines).toContain('X-Way: main');
    await ready('main');
    expect(await who()).toBe('spare');
    expect(seen('spare')[0]!.lines.filter((line) => line.startsWith('X-Way'))).toEqual(['X-Way: spare']);
    expect((await front.record(front.records.length)).backend).toBe('spare');
    await ready();
    expect(await who()).toBe('main');
  });

  it('leaves requests where they are when it is empty itself', async () => {
    await withOtherwise();
    await ready('main', 'spare');
    expect((await ask()).status).toBe(503);
  });

  it('takes those of a reference that leads nowhere', async () => {
    const { backend: _none, ...invalid } = share('main');
    await withOtherwise({ ...invalid, invalid: { status: 503, reason: 'no such Service' } });
    const { backend: asked } = share('nobody');
    await plan(
      route({
        action: {
          type: 'forward',
          backends: [{ ...invalid, otherwise, invalid: { status: 503, reason: 'no such Service' } }],
        },
      }),
    );
    expect(await who()).toBe('spare');
    await withOtherwise({ backend: asked! });
    expect(await who()).toBe('spare');
  });

  it('is no part of sessions', async () => {
    const affinity: Affinity = {
      ...{ scope: 'Test/test', mode: 'persistent' },
      carrier: { type: 'cookie', name: 'sid', secure: 'never' },
    };
    await front.endpoints({ main: [endpoint(places.main, port), endpoint(second, port)] });
    const one = { ...share('main'), otherwise };
    await plan(route({ affinity, action: { type: 'forward', backends: [one] } }));
    const first = await ask();
    const cookie = `Cookie: ${first.headers['set-cookie']?.split(';')[0]}`;
    await ready('main');
    const meanwhile = await ask(cookie);
    expect([meanwhile.body, meanwhile.headers['set-cookie']]).toEqual(['spare', undefined]);
    await front.endpoints({ main: [endpoint(places.main, port), endpoint(second, port)] });
    for (let i = 0; i < 4; i++) expect((await ask(cookie)).headers['set-cookie']).toBeUndefined();
  });
});
