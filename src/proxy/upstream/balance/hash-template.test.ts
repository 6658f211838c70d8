/** Endpoints that follow from text made of requests (ingress-nginx upstream-hash-by), over real connections. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route, Template } from '../../../routing/plan/plan.ts';
import { askFront } from '../../testing/ask.ts';
import { type RecordingBackend, recordingBackend } from '../../testing/backend.ts';
import { createFront, type Front } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../../testing/plans.ts';

const address = '127.87.9.1';
const port = 8080;
const places = ['127.87.9.2', '127.87.9.3', '127.87.9.4'];
let front: Front;
const apps: RecordingBackend[] = [];

beforeAll(async () => {
  front = createFront();
  for (const place of places) {
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${place.length}\r\n\r\n${place}`;
    apps.push(await recordingBackend(place, port, answer));
  }
  await front.endpoints({ app: places.map((place) => endpoint(place, port)) });
});

afterAll(async () => {
  await front.close();
  for (const app of apps) await app.close();
});

async function use(template: Template, more: Partial<Route> = {}): Promise<void> {
  const policy = { balance: { type: 'hash', by: [{ by: 'template', template }] } } as const;
  await front.plan(planOf([listener(address, port, [host('*', [route(more)])])], [{ ...backend('app'), policy }]));
}

const where = async (path: string, ...lines: readonly string[]) =>
  (await askFront(address, port, { path, lines })).body;

async function spread(ask: (i: number) => Promise<string>): Promise<number> {
  const met = new Set<string>();
  for (let i = 0; i < 24; i++) met.add(await ask(i));
  return met.size;
}

describe('the endpoint of a request', () => {
  it('follows from all of its text', async () => {
    await use([{ of: 'fact', fact: 'host' }, '|', { of: 'fact', fact: 'uri' }, '|', { of: 'header', name: 'x-user' }]);
    for (const path of ['/a', '/a?b=1', '/b/c']) {
      const first = await where(path, 'X-User: anna');
      for (let n = 0; n < 4; n++) expect(await where(path, 'X-User: anna', `X-Other: ${n}`)).toBe(first);
    }
    expect(await spread((i) => where(`/p/${i}`))).toBe(3);
    expect(await spread((i) => where('/', `X-User: ${i}`))).toBe(3);
  });

  it('follows from groups of the route’s pattern', async () => {
    await use([{ of: 'capture', group: 1 }], { match: { path: { type: 'regex', value: '/users/([a-z0-9]+)/.*' } } });
    const first = await where('/users/anna/1');
    for (let n = 2; n < 6; n++) expect(await where(`/users/anna/${n}`)).toBe(first);
    expect(await spread((i) => where(`/users/u${i}/1`))).toBe(3);
  });

  it('goes round where the text is empty', async () => {
    await use([{ of: 'cookie', name: 'sid' }]);
    expect(await spread(() => where('/'))).toBe(3);
    const first = await where('/', 'Cookie: sid=7');
    for (let n = 0; n < 4; n++) expect(await where(`/${n}`, 'Cookie: a=b; sid=7')).toBe(first);
  });
});
