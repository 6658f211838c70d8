/** HTTP-01 at the data plane: before routes, for known tokens alone, with one process and with several. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Plan, Route } from '../../routing/plan/plan.ts';
import { askFront } from '../testing/ask.ts';
import { createFront } from '../testing/front.ts';
import { host, listener, planOf, route } from '../testing/plans.ts';
import { dial } from '../testing/sockets.ts';

const [address, port] = ['127.84.2.1', 18_421] as const;

const redirect: Route = route({ action: { type: 'redirect', scheme: 'https', status: 308 } });
const locked: Route = route({
  filters: [{ type: 'basic-auth', realm: 'shop', users: [{ name: 'a', hash: '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' }] }],
  action: { type: 'respond', status: 200, body: 'inside', reason: 'test' },
});

const plan = (routes: readonly Route[], challenges?: Plan['challenges']): Plan => ({
  ...planOf([listener(address, port, [host('*', routes)])]),
  ...(challenges && { challenges }),
});

async function ask(token: string, method = 'GET') {
  const { status, headers, body } = await askFront(address, port, {
    path: `/.well-known/acme-challenge/${token}`,
    method,
    ...(method === 'POST' && { lines: ['Content-Length: 1'], body: 'x' }),
  });
  return { status, type: headers['content-type'], body };
}

function open() {
  const front = createFront();
  onTestFinished(() => front.close());
  return front;
}

describe('an open challenge', () => {
  it.each([
    ['redirects', redirect],
    ['asks for a password', locked],
  ])('is answered where the route %s', async (_what, each) => {
    const front = open();
    await front.plan(plan([each], { http: { abc: 'abc.thumb' } }));
    expect(await ask('abc')).toEqual({ status: 200, type: 'application/octet-stream', body: 'abc.thumb' });
    expect((await front.record(1)).flag).toBe('acme_challenge');
  });

  it('is answered where no host is known', async () => {
    const front = open();
    const known = planOf([listener(address, port, [host('b.example', [redirect])])]);
    await front.plan({ ...known, challenges: { http: { abc: 'abc.thumb' } } });
    expect(await ask('abc')).toMatchObject({ status: 200, body: 'abc.thumb' });
    expect(await ask('other')).toMatchObject({ status: 404 });
  });

  it.each(['other', 'abc/x', 'constructor', '__proto__', 'ABC', ''])('leaves %j to the routes', async (token) => {
    const front = open();
    await front.plan(plan([redirect], { http: { abc: 'abc.thumb' } }));
    expect(await ask(token)).toMatchObject({ status: 308 });
  });

  it('leaves other methods to the routes', async () => {
    const front = open();
    await front.plan(plan([redirect], { http: { abc: 'abc.thumb' } }));
    expect(await ask('abc', 'POST')).toMatchObject({ status: 308 });
  });

  it('tells HEAD how long the answer is', async () => {
    const front = open();
    await front.plan(plan([redirect], { http: { abc: 'abc.thumb' } }));
    const client = await dial(address, port);
    client.send('HEAD /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    const text = await client.until((said) => said.includes('\r\n\r\n'));
    client.socket.destroy();
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(text).toContain('Content-Length: 9\r\n');
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it('ends with the plan that has it', async () => {
    const front = open();
    await front.plan(plan([redirect], { http: { abc: 'abc.thumb' } }));
    expect(await ask('abc?a=b')).toMatchObject({ status: 200 });
    await front.plan(plan([redirect]));
    expect(await ask('abc')).toMatchObject({ status: 308 });
  });
});
