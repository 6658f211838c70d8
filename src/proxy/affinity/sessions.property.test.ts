/** Sessions over random histories of endpoints, without sockets: what stays, what moves, and what is made of anything sent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Affinity } from '../../routing/plan/affinity.ts';
import type { BackendId } from '../../routing/plan/plan.ts';
import { createExchange, type Exchange } from '../exchange/exchange.ts';
import type { Client } from '../exchange/wire.ts';
import { createFields, type Fields } from '../http1/fields.ts';
import { createRequestHead, parseRequestHead, type RequestHead } from '../http1/request.ts';
import { defaults } from '../options.ts';
import type { CompiledForward, Target } from '../routes/compile.ts';
import { endpoint, share } from '../testing/plans.ts';
import { createSplitter } from '../upstream/splitter.ts';
import { createUpstreams, nextTarget } from '../upstream/upstreams.ts';
import { compileAffinity } from './compile.ts';
import { createSessionIds } from './ids.ts';
import { endpointOf, placeOf, tellSession } from './session.ts';

const ids = createSessionIds('a secret of the test');
const affinityOf = (mode: Affinity['mode']): Affinity => ({
  scope: 'Test/test',
  mode,
  carrier: { type: 'cookie', name: 'sid', secure: 'never' },
});

const head: RequestHead = createRequestHead(100);

function headWith(cookie: string): RequestHead {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${cookie ? `Cookie: ${cookie}\r\n` : ''}\r\n`, 'latin1');
  expect(parseRequestHead(bytes, head, { ...defaults.client, maxHeadBytes: 1e6 })).toBeUndefined();
  head.fields.text = bytes.toString('latin1');
  return head;
}

/** A route over `a` and `b`, from a request's cookie to the endpoint and the cookie of the response. */
function createRoute(mode: Affinity['mode'], weights: readonly [number, number] = [1, 1]) {
  const upstreams = createUpstreams();
  const names: readonly BackendId[] = ['a', 'b'];
  const targets = names.map(
    (id): Target => ({
      upstream: upstreams.of(id),
      filters: {},
      gate: undefined,
      mirrors: undefined,
      redirect: undefined,
      otherwise: undefined,
    }),
  );
  const action: CompiledForward = { type: 'forward', targets, next: createSplitter(weights), canary: undefined };
  const affinity = compileAffinity(
    affinityOf(mode),
    names.map((id, i) => share(id, weights[i])),
    ids,
    (message) => {
      throw new Error(message);
    },
  )!;
  const client = {
    runtime: { timed: false, now: 0 },
    door: { scheme: 'http' },
  } as unknown as Client;
  return {
    upstreams,
    request(cookie: string) {
      const exchange: Exchange = createExchange(client, headWith(cookie), false);
      const target = targets[placeOf(exchange, affinity, head, action)]!;
      exchange.share = target;
      const upstream = target.upstream!;
      const pool = endpointOf(exchange.session!, upstream, undefined) ?? nextTarget(upstream, undefined);
      if (!pool) return { endpoint: undefined, cookie };
      exchange.at = pool;
      const fields: Fields = createFields(10);
      tellSession(exchange, exchange.session!, fields);
      return { endpoint: `${upstream.id} ${pool.key}`, cookie: fields.addedValues[0]?.split(';')[0] ?? cookie };
    },
  };
}

type Kind = 'ready' | 'terminating' | 'unready' | 'gone';
const kinds: readonly Kind[] = ['ready', 'terminating', 'unready', 'gone'];
const listed = (states: readonly Kind[]) =>
  states.flatMap((kind, i) =>
    kind === 'gone'
      ? []
      : [endpoint(`10.0.0.${i + 1}`, 80, { ready: kind === 'ready', terminating: kind === 'terminating' })],
  );
const isUsable = (state: Kind | undefined) => state === 'ready' || state === 'terminating';
const statesOf = fc.array(fc.constantFrom(...kinds), { minLength: 6, maxLength: 6 });
const history = fc.array(fc.record({ a: statesOf, b: statesOf }), { minLength: 1, maxLength: 12 });

describe('persistent sessions', () => {
  it('never move while their endpoint is usable, whatever other endpoints do', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const route = createRoute('persistent');
        const sessions: { endpoint: string | undefined; cookie: string }[] = [];
        for (const step of steps) {
          route.upstreams.setEndpoints('a', listed(step.a));
          route.upstreams.setEndpoints('b', listed(step.b));
          const usable = new Set<string>();
          for (const id of ['a', 'b'] as const)
            for (const [i, state] of step[id].entries()) if (isUsable(state)) usable.add(`${id} 10.0.0.${i + 1}:80`);
          for (const session of sessions) {
            const { endpoint: now, cookie } = route.request(`x=1; ${session.cookie}`);
            if (session.endpoint !== undefined && usable.has(session.endpoint)) {
              expect(now).toBe(session.endpoint);
              expect(cookie).toBe(`x=1; ${session.cookie}`);
            } else if (now !== undefined) {
              expect(usable).toContain(now);
              expect(cookie).toMatch(/^sid=[\w-]{20}$/);
              Object.assign(session, { endpoint: now, cookie });
            }
          }
          for (let i = 0; i < 3; i++) sessions.push(route.request(''));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('balanced sessions', () => {
  it('move only from an endpoint that goes, or to one that comes', () => {
    const set = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(set, { minLength: 2, maxLength: 8 }), (steps) => {
        const route = createRoute('balanced', [1, 0]);
        const sessions: { endpoint: string | undefined; cookie: string }[] = [];
        let before = new Set<string>();
        for (const step of steps) {
          route.upstreams.setEndpoints(
            'a',
            step.map((n) => endpoint(`10.0.0.${n}`, 80)),
          );
          const now = new Set(step.map((n) => `a 10.0.0.${n}:80`));
          for (const session of sessions) {
            const after = route.request(session.cookie);
            expect(after.cookie).toBe(session.cookie);
            if (after.endpoint !== session.endpoint)
              expect(!now.has(session.endpoint!) || !before.has(after.endpoint!)).toBe(true);
            session.endpoint = after.endpoint;
          }
          before = now;
          for (let i = 0; i < 5; i++) sessions.push(route.request(''));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('whatever is sent', () => {
  it.each(['persistent', 'balanced'] as const)('begins a session that holds (%s)', (mode) => {
    const route = createRoute(mode);
    for (const id of ['a', 'b']) route.upstreams.setEndpoints(id, listed(['ready', 'ready', 'terminating']));
    const real = route.request('').cookie;
    const piece = fc.constantFrom(
      'sid=',
      'sid',
      '=',
      ';',
      ',',
      ' ',
      real,
      real.slice(4),
      'A'.repeat(20),
      '"',
      '\t',
      'é',
    );
    const text = fc.oneof(
      fc.array(piece).map((parts) => parts.join('')),
      fc.string({
        unit: fc
          .integer({ min: 33, max: 255 })
          .filter((code) => code !== 127)
          .map((code) => String.fromCharCode(code)),
      }),
    );
    fc.assert(
      fc.property(text, (sent) => {
        const first = route.request(sent);
        expect(first.endpoint).toBeDefined();
        expect(route.request(first.cookie)).toEqual(first);
      }),
      { numRuns: 500 },
    );
  });
});
