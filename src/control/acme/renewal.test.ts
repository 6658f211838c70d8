/** When certificates are renewed: over months, by a clock that is moved by hand. */
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Ingress, Secret } from '../../kube/types/index.ts';
import { hasOpenssl } from '../../proxy/testing/certificates.ts';
import type { ChallengeBoard } from './board.ts';
import { createRequest, newKey } from './csr.ts';
import type { Issuer } from './issuers.ts';
import { localAcmeObjects } from './objects.ts';
import { AcmeError } from './problem.ts';
import { renewalId, renewalTime } from './renewal.ts';
import { createOrderStates } from './state.ts';
import { createTask } from './task.ts';
import { createEmptyObjects } from './testing/estate.ts';
import { createFakeAccount, createFakeAuthority, createHandClock } from './testing/fake-authority.ts';
import type { WantedCertificate } from './wanted.ts';

const missing = hasOpenssl() ? undefined : 'there is no openssl';
if (missing) console.log(`renewal of certificates: skipped, ${missing}`);

const day = 86_400_000;
const minute = 60_000;

describe('a certificate is due', () => {
  const life = { notBefore: 0, notAfter: 90 * day };
  const times = Array.from({ length: 200 }, (_, i) => renewalTime({ ...life, fingerprint: `${i}` }) / day);

  it('at two thirds of its life, or up to two hundredths sooner', () => {
    expect(Math.min(...times)).toBeGreaterThanOrEqual(58.2);
    expect(Math.max(...times)).toBeLessThanOrEqual(60);
    expect(new Set(times.map((time) => time.toFixed(3))).size).toBeGreaterThan(150);
    expect(renewalTime({ ...life, fingerprint: '7' })).toBe(renewalTime({ ...life, fingerprint: '7' }));
  });

  it('also when it lives for days only', () => {
    expect(renewalTime({ notBefore: 0, notAfter: 6 * day, fingerprint: 'x' }) / day).toBeLessThanOrEqual(4);
  });

  it('within the window that its authority suggests, but before it is too late', () => {
    const within = renewalTime({ ...life, fingerprint: 'x' }, { start: 10 * day, end: 12 * day }) / day;
    expect(within).toBeGreaterThanOrEqual(10);
    expect(within).toBeLessThan(12);
    expect(renewalTime({ ...life, fingerprint: 'x' }, { start: 100 * day, end: 120 * day }) / day).toBe(81);
  });
});

describe.skipIf(missing)('over months', () => {
  const authority = missing ? undefined! : createFakeAuthority();
  afterAll(() => authority.close());

  const solvers: Issuer['solvers'] = [{ challenge: 'http-01', dnsZones: [], propagationMs: 0 }];
  const issuer: Issuer = { name: 'fake', server: 'https://fake.example/', solvers, isDefault: false, namespaces: [] };
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'web' };
  const wanted: WantedCertificate = {
    ...{ key: 'shop/web-tls', namespace: 'shop', secretName: 'web-tls', names: ['a.example.com'], issuer },
    sources: [{ object, fieldPath: 'spec.tls[0].secretName' }],
  };

  function open() {
    const objects = createEmptyObjects();
    const { store } = objects;
    const account = createFakeAccount(authority);
    const clock = createHandClock(Date.now());
    const kept = localAcmeObjects(objects);
    const board: ChallengeBoard = {
      show: async () => {},
      take: async () => {},
      inForce: () => {},
      clean: async () => {},
    };
    const accounts = { client: async () => account.client, forget: async () => {}, close: () => {} };
    const start = () => {
      const task = createTask(wanted, {
        ...{ store, objects: kept, states: createOrderStates(kept, 'fairway'), accounts, board },
        ...{ timing: clock.timing, retry: {}, slot: (work) => work(), changed: () => {}, log: () => {} },
      });
      onTestFinished(() => task.stop());
      return task;
    };
    return { account, clock, start, objects, secret: () => store.get<Secret>('secrets', 'shop/web-tls') };
  }

  it('knows certificates by what authorities know them by (the example of RFC 9773)', async () => {
    const chain = authority.sign(await createRequest(newKey(), ['a.example.com']));
    expect(await renewalId(chain)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });

  it('renews at two thirds of the lifetime, and not before', async () => {
    const { account, clock, start, secret } = open();
    const task = start();
    await clock.pass(1000);
    expect(account.orders).toHaveLength(1);
    const first = secret()!.data!['tls.crt'];
    await clock.pass(58 * day);
    expect(account.orders).toHaveLength(1);
    for (let i = 0; i < 100 && account.orders.length === 1; i++) await clock.pass(30 * minute);
    expect(account.orders).toHaveLength(2);
    expect(secret()!.data!['tls.crt']).not.toBe(first);
    expect(account.orders[1]).toEqual({ names: ['a.example.com'], replaces: undefined });
    await task.stop();
  });

  it('has no more than one issued in an hour, whatever the clocks say', async () => {
    const { account, clock, start } = open();
    const past = clock.timing.now() - day;
    account.advice = { info: { start: past, end: past + 1 }, nextMs: 6 * 60 * minute };
    const task = start();
    await clock.pass(1000);
    expect(task.finding()?.message).toContain('does the clock run right?');
    await clock.pass(58 * minute);
    expect(account.orders).toHaveLength(1);
    await clock.pass(3 * minute);
    expect(account.orders).toHaveLength(2);
  });

  it('renews when the authority says, and says what is replaced', async () => {
    const { account, clock, start } = open();
    const from = clock.timing.now();
    account.advice = { info: { start: from + 20 * day, end: from + 21 * day }, nextMs: 6 * 60 * minute };
    start();
    await clock.pass(19.9 * day);
    expect(account.orders).toHaveLength(1);
    // Four times a day.
    expect(account.asked).toBeGreaterThan(75);
    expect(account.asked).toBeLessThan(85);
    const past = { start: from + 10 * day, end: from + 11 * day };
    account.advice = { info: past, nextMs: 6 * 60 * minute };
    await clock.pass(day / 4);
    expect(account.orders[1]?.replaces).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  });

  it('waits for as long as a rate limit says, also after a restart', async () => {
    const { account, clock, start } = open();
    account.fail = new AcmeError({ type: 'rateLimited', detail: 'too many', status: 429, retryAfterMs: 90 * minute });
    const task = start();
    await clock.pass(1000);
    expect(task.finding()?.message).toContain('rateLimited: too many; tried again at');
    account.fail = undefined;
    await task.stop();
    const again = start();
    await clock.pass(89 * minute);
    expect(account.orders).toHaveLength(0);
    expect(again.finding()?.code).toBe('FW6022');
    await clock.pass(2 * minute);
    expect(account.orders).toHaveLength(1);
    expect(again.finding()).toBeUndefined();
  });

  it('tries again soon, and ever less often, while nobody answers', async () => {
    const { account, clock, start, objects } = open();
    let tries = 0;
    account.fail = new AcmeError({ type: '', detail: 'fake.example: ECONNREFUSED', status: 0 });
    const { newOrder } = account.client;
    Object.assign(account.client, {
      newOrder: (...args: Parameters<typeof newOrder>) => {
        tries++;
        return newOrder(...args);
      },
    });
    const task = start();
    await clock.pass(minute);
    expect(tries).toBeGreaterThanOrEqual(4);
    await clock.pass(59 * minute);
    expect(tries).toBeLessThan(16);
    expect(task.finding()?.message).toContain('ECONNREFUSED');
    // Nothing of it is kept: a restart tries at once.
    expect(objects.store.list<Ingress>('secrets')).toHaveLength(0);
    account.fail = undefined;
    await clock.pass(11 * minute);
    expect(account.orders).toHaveLength(1);
  });
});
