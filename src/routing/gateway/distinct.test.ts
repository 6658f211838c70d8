/** Distinctness by its index is what comparing every listener with every other one says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { Gateway, ListenerSet } from '../../kube/types/index.ts';
import type { TranslateInput } from '../translate.ts';
import { createContext } from './context.ts';
import { type Distinctness, judgeDistinct } from './distinct.ts';
import { covers } from './hostnames.ts';
import { draftListeners, type ListenerDraft } from './listeners.ts';
import { ownerOfListeners } from './model.ts';

interface Spec {
  readonly port: number;
  readonly protocol: string;
  readonly hostname?: string;
}

const input = { store: createStore(), position: () => undefined, adopt: false, now: '2026-01-01T00:00:00Z' };
const context = createContext(input as unknown as TranslateInput);

/** The first object is the Gateway. */
function draftsOf(objects: readonly (readonly Spec[])[]): ListenerDraft[][] {
  return objects.map((specs, i) => {
    const listeners = specs.map((spec, at) => ({ ...spec, name: `l${at}` }));
    const object = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: i === 0 ? 'Gateway' : 'ListenerSet',
      metadata: { name: `o${i}`, namespace: 'shop' },
      spec: { listeners },
    };
    return draftListeners(context, ownerOfListeners(object as unknown as Gateway | ListenerSet));
  });
}

const byName = new Set(['HTTPS', 'TLS']);

/** Gateway spec.listeners, distinct listeners, read pair by pair. */
function clash(a: ListenerDraft, b: ListenerDraft): 'protocol' | 'hostname' | undefined {
  if (a.spec.port !== b.spec.port || !a.protocol || !b.protocol) return undefined;
  const [p, q] = [a.spec.protocol, b.spec.protocol];
  if (p === q) return a.hostname === b.hostname ? 'hostname' : undefined;
  if (p === 'UDP' || q === 'UDP') return undefined;
  return byName.has(p) && byName.has(q) && a.hostname !== b.hostname ? undefined : 'protocol';
}

const clashOfNames = (a: ListenerDraft, b: ListenerDraft) =>
  a.hostname === b.hostname &&
  (a.spec.protocol === b.spec.protocol || (byName.has(a.spec.protocol) && byName.has(b.spec.protocol))) &&
  clash(a, b);

interface Told {
  readonly lost: boolean;
  readonly others: ReadonlySet<ListenerDraft>;
}

function pairwise(groups: readonly (readonly ListenerDraft[])[]): Map<ListenerDraft, Told> {
  const told = new Map<ListenerDraft, Told>();
  const kept: { listener: ListenerDraft; onlyName: boolean }[] = [];
  for (const group of groups) {
    for (const listener of group) {
      const rivals = kept
        .filter(({ listener: other, onlyName }) => (onlyName ? clashOfNames : clash)(listener, other))
        .map(({ listener: other }) => other);
      if (rivals.length > 0) told.set(listener, { lost: true, others: new Set(rivals) });
    }
    const left = group.filter((listener) => listener.protocol && !told.has(listener));
    for (const listener of left) {
      const rivals = left.filter((other) => other !== listener && clash(listener, other));
      if (rivals.length > 0) told.set(listener, { lost: false, others: new Set(rivals) });
    }
    for (const listener of left)
      kept.push({ listener, onlyName: told.has(listener) && listener.owner.ref.kind === 'ListenerSet' });
  }
  return told;
}

const spec = fc.record({
  port: fc.constantFrom(80, 443),
  protocol: fc.constantFrom('HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP', 'constructor'),
  hostname: fc.constantFrom(undefined, 'a.example.com', 'b.example.com', '*.example.com', '*.com', 'A.example.com'),
});
const objects = fc.array(fc.array(spec, { maxLength: 5 }), { minLength: 1, maxLength: 5 });

function others(distinct: Distinctness, listener: ListenerDraft): Set<ListenerDraft> {
  return new Set(distinct.conflictOf(listener)?.others);
}

describe('listeners that can be told apart', () => {
  it('are those that no pair of rules keeps apart', () => {
    fc.assert(
      fc.property(objects, (given) => {
        const groups = draftsOf(given as Spec[][]);
        const [distinct, expected] = [judgeDistinct(groups), pairwise(groups)];
        for (const listener of groups.flat()) {
          const conflict = distinct.conflictOf(listener);
          const told = expected.get(listener);
          expect(conflict !== undefined).toBe(told !== undefined);
          expect(conflict?.isLost).toBe(told?.lost);
          // Of protocol and hostname, a listener of a Gateway is told the protocol alone.
          for (const other of others(distinct, listener)) expect(told!.others).toContain(other);
          if (listener.owner.ref.kind === 'ListenerSet')
            expect(others(distinct, listener)).toEqual(told?.others ?? new Set());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('overlap where one hostname is within the other, on HTTPS and TLS of one port', () => {
    fc.assert(
      fc.property(objects, (given) => {
        const groups = draftsOf(given as Spec[][]);
        const distinct = judgeDistinct(groups);
        const rivals = groups
          .flat()
          .filter((one) => byName.has(one.spec.protocol) && !distinct.conflictOf(one)?.isLost);
        for (const listener of rivals) {
          const expected = rivals.filter(
            ({ spec: { port }, hostname }) =>
              port === listener.spec.port &&
              hostname !== listener.hostname &&
              (covers(hostname, listener.hostname) || covers(listener.hostname, hostname)),
          );
          expect(distinct.overlapsOf(listener)).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });
});
