/** An account at an authority that proves nothing and signs everything, for tests of what happens over months. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Timing } from '../../../kube/client/timing.ts';
import type { AcmeClient } from '../client.ts';
import type { Order } from '../resources.ts';

/** Key identifier of the authority, from the example of RFC 9773 section 4.1. */
export const keyIdentifier = '69885B6B87464041E1B37B847BA0AE2CDE01C8D4';
export const serial = '0x0087654321';

/** Makes 90-day certificates with openssl. */
export function createFakeAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-fake-ca-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const extension = `subjectKeyIdentifier=${keyIdentifier}`;
  openssl(
    ...['req', '-x509', ...ec, '-days', '900', '-subj', '/CN=fake', '-addext', extension],
    ...['-keyout', file('ca.key'), '-out', file('ca.crt')],
  );

  /** `request` in DER. */
  function sign(request: Buffer): string {
    writeFileSync(file('csr'), request);
    writeFileSync(file('ext'), 'authorityKeyIdentifier=keyid\n');
    openssl(
      ...[
        'x509',
        '-req',
        '-inform',
        'DER',
        '-in',
        file('csr'),
        '-CA',
        file('ca.crt'),
        '-CAkey',
        file('ca.key'),
        '-days',
        '90',
      ],
      ...['-set_serial', serial, '-copy_extensions', 'copy', '-extfile', file('ext'), '-out', file('crt')],
    );
    return readFileSync(file('crt'), 'utf8');
  }

  return { sign, close: () => rmSync(folder, { recursive: true, force: true }) };
}

export type FakeAuthority = ReturnType<typeof createFakeAuthority>;

/** What an order of the fake came to; `fail` rejects the next orders. */
export interface FakeAccount {
  readonly client: AcmeClient;
  readonly orders: { readonly names: readonly string[]; readonly replaces: string | undefined }[];
  fail: Error | undefined;
  advice: Awaited<ReturnType<AcmeClient['renewalInfo']>>;
  asked: number;
}

export function createFakeAccount(authority: FakeAuthority): FakeAccount {
  const url = 'https://fake.example/order';
  let order: Order = { status: 'ready', authorizations: [], finalize: url };
  let chain = '';
  const client: AcmeClient = {
    directory: () => Promise.reject(new Error('nobody asks')),
    register: async () => url,
    updateContact: async () => {},
    use: () => {},
    account: () => url,
    async newOrder(names, replaces) {
      if (account.fail) throw account.fail;
      account.orders.push({ names, replaces });
      order = { status: 'ready', authorizations: [], finalize: url };
      return { url, order };
    },
    order: async () => order,
    authorization: () => Promise.reject(new Error('there is none')),
    accept: async () => {},
    async finalize(_order, request) {
      chain = authority.sign(request);
      order = { ...order, status: 'valid', certificate: url };
      return order;
    },
    async poll(read, isDone) {
      const value = await read();
      if (!isDone(value)) throw new Error('it is never done');
      return value;
    },
    certificate: async () => chain,
    async renewalInfo() {
      account.asked++;
      return account.advice;
    },
    keyAuthorization: (token) => token,
  };
  const account: FakeAccount = { client, orders: [], fail: undefined, advice: undefined, asked: 0 };
  return account;
}

/** In milliseconds of the real clock. */
const restMs = 5_000;

/** A clock that is moved by hand; sleepers wake in the order of their times. Everybody who works is to sleep in the end. */
export function createHandClock(start: number) {
  let now = start;
  const sleeping = new Set<{ readonly at: number; wake(): void }>();
  const timing: Timing = {
    now: () => now,
    monotonic: () => now,
    random: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { at: now + ms, wake: () => done() };
        const done = () => {
          sleeping.delete(sleeper);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        sleeping.add(sleeper);
        signal?.addEventListener('abort', done);
      }),
  };
  /** Until everybody sleeps; signing is done in threads, so it takes real time. */
  const rest = async () => {
    for (let i = 0; i < 50; i++) await new Promise((go) => setImmediate(go));
    const end = performance.now() + restMs;
    while (sleeping.size === 0 && performance.now() < end) await new Promise((go) => setTimeout(go, 1));
  };
  return {
    timing,
    rest,
    /** Lets so many milliseconds pass. */
    async pass(ms: number) {
      const until = now + ms;
      await rest();
      for (;;) {
        const next = [...sleeping].sort((a, b) => a.at - b.at)[0];
        if (!next || next.at > until) break;
        now = Math.max(now, next.at);
        next.wake();
        await rest();
      }
      now = until;
    },
  };
}
