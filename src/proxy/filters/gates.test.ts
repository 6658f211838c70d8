/** The order in which requests meet gates, with gates that wait among them, and clients that limits do not count. */
import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConcurrencyFilter, Filter, RateLimitFilter } from '../../routing/plan/plan.ts';
import { type TwoBackends, twoBackends } from '../testing/two-backends.ts';
import { answer, filter as externalAuth } from './external-auth/testing.ts';

let two: TwoBackends;
let zones = 0;

beforeAll(async () => {
  two = await twoBackends('127.87.8', 1, { forwarded: { trustedProxies: ['127.0.0.1'] } });
});

beforeEach(() => {
  for (const { requests } of [two.app, two.helper]) requests.length = 0;
  two.front.findings.length = 0;
  two.helper.answer(answer(200, ['X-User: anna']));
});

afterAll(() => two.close());

const login = (password: string) => `Authorization: Basic ${Buffer.from(`anna:${password}`).toString('base64')}`;
const as = (address: string) => `X-Forwarded-For: ${address}`;
const none: Filter = { type: 'ip-access', allow: ['192.0.2.1'], deny: [], status: 403 };
const password: Filter = { type: 'basic-auth', realm: 'r', users: [{ name: 'anna', hash: hashSync('secret', 5) }] };
const teapot: Filter = {
  ...{ type: 'respond', status: 418, reason: 'asked for' },
  when: [{ value: [{ of: 'header', name: 'x-tea' }], test: { type: 'present' } }],
};
const once = (more: Partial<RateLimitFilter> = {}): RateLimitFilter => ({
  ...{ type: 'rate-limit', zone: `gates/${zones++}`, key: { by: 'address' } },
  ...{ requests: 1, perMs: 3_600_000, burst: 0, status: 503 },
  ...more,
});
const asked = () => two.helper.requests.splice(0).length;
const status = async (...lines: readonly string[]) => (await two.ask({ lines })).status;
const listed = (...filters: readonly Filter[]) => two.use(filters, { gates: 'as-listed' });

describe('gates', () => {
  it('are met in the order of the list where the route says so, and in their own otherwise', async () => {
    await listed(externalAuth(), none);
    expect([await status(), asked()]).toEqual([403, 1]);
    await two.use([externalAuth(), none]);
    expect([await status(), asked()]).toEqual([403, 0]);
    await listed(none, externalAuth());
    expect([await status(), asked()]).toEqual([403, 0]);
  });

  it('that wait let the others have their turn afterwards, one after the other', async () => {
    await listed(password, externalAuth(), teapot);
    expect([await status('X-Tea: 1'), asked()]).toEqual([401, 0]);
    expect([await status(login('wrong'), 'X-Tea: 1'), asked()]).toEqual([401, 0]);
    two.helper.answer(answer(403));
    expect([await status(login('secret'), 'X-Tea: 1'), asked()]).toEqual([403, 1]);
    two.helper.answer(answer(200, ['X-User: anna']));
    expect([await status(login('secret'), 'X-Tea: 1'), asked()]).toEqual([418, 1]);
    expect(two.app.requests).toEqual([]);
    expect([await status(login('secret'), 'X-User: boss'), asked()]).toEqual([200, 1]);
    expect(two.app.requests[0]!.lines.filter((line) => line.startsWith('X-User'))).toEqual(['X-User: anna']);
    await listed(teapot, password, externalAuth());
    expect([await status('X-Tea: 1'), asked()]).toEqual([418, 0]);
  });

  it('count requests where they stand: before those that wait, or those that these have let in', async () => {
    await listed(once(), externalAuth());
    two.helper.answer(answer(403));
    expect([await status(), await status(), asked()]).toEqual([403, 503, 1]);
    await listed(externalAuth(), once());
    expect([await status(), await status(), asked()]).toEqual([403, 403, 2]);
    two.helper.answer(answer(200));
    expect([await status(), await status(), asked()]).toEqual([200, 503, 2]);
  });

  it('go on after any one of several', async () => {
    const either: Filter = { type: 'any-of', filters: [none as never, password as never, externalAuth()] };
    await listed(either, once(), teapot);
    expect([await status('X-Tea: 1', login('secret')), asked()]).toEqual([418, 0]);
    expect([await status('X-Tea: 1', login('wrong')), asked()]).toEqual([503, 1]);
    two.helper.answer(answer(403));
    expect([await status(login('wrong')), asked()]).toEqual([401, 1]);
  });

  it('that observe stand before all others, also in the order of the list', async () => {
    const marks: Filter = { type: 'response-values', set: [['X-Mark', ['1']]], add: [], remove: [] };
    await listed(none, marks);
    expect((await two.ask()).headers).toMatchObject({ 'x-mark': '1' });
  });
});

describe('clients that are exempt', () => {
  const exempt = ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7'];

  it('of a rate are not counted, and others are', async () => {
    await listed(once({ exempt }));
    for (const address of ['203.0.113.9', '2001:db8::1', '198.51.100.7'])
      for (let i = 0; i < 3; i++) expect(await status(as(address))).toBe(200);
    expect([await status(as('198.51.100.8')), await status(as('198.51.100.8'))]).toEqual([200, 503]);
    // Of a key that all share.
    await listed(once({ exempt, key: { by: 'zone' } }));
    expect(await status(as('203.0.113.9'))).toBe(200);
    expect([await status(as('192.0.2.1')), await status(as('192.0.2.2'))]).toEqual([200, 503]);
    expect(await status(as('203.0.113.9'))).toBe(200);
  });

  it('of a number of requests at once are not counted, and others are', async () => {
    const atOnce: ConcurrencyFilter = { type: 'concurrency', zone: 'gates', key: { by: 'zone' }, max: 1, status: 503, exempt }; // biome-ignore format: one line
    await listed(atOnce);
    const waiting: (() => void)[] = [];
    two.app.answer((_request, socket) => waiting.push(() => socket.write(answer(200))));
    const free = [two.ask({ lines: [as('203.0.113.9')] }), two.ask({ lines: [as('203.0.113.9')] })];
    await expect.poll(() => waiting.length, { interval: 5 }).toBe(2);
    const counted = two.ask({ lines: [as('192.0.2.1')] });
    await expect.poll(() => waiting.length, { interval: 5 }).toBe(3);
    expect(await status(as('192.0.2.2'))).toBe(503);
    const more = two.ask({ lines: [as('203.0.113.9')] });
    await expect.poll(() => waiting.length, { interval: 5 }).toBe(4);
    for (const release of waiting) release();
    for (const each of [...free, counted, more]) expect((await each).status).toBe(200);
    two.app.answer(answer(200));
    expect(await status(as('192.0.2.2'))).toBe(200);
  });

  it.each(['203.0.113.0/33', 'example.com', ''])(
    'cannot be %j: then nobody is let in, and that is said',
    async (bad) => {
      await listed(once({ exempt: ['192.0.2.1', bad] }));
      expect(await status(as('192.0.2.1'))).toBe(500);
      await listed({ type: 'concurrency', zone: 'bad', key: { by: 'zone' }, max: 1, status: 503, exempt: [bad] });
      expect(await status()).toBe(500);
      expect(two.front.findings).toHaveLength(1);
      expect(two.front.findings[0]).toMatch(/^FW5221 .*neither an address nor a CIDR/);
    },
  );
});
