/** How records follow the store: only what changed is worked out anew, and nothing old is ever answered. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { encodeQuery } from '../wire/ask.ts';
import { recordType } from '../wire/numbers.ts';
import { labelsOf, nameOf, parseQuery, type Query } from '../wire/query.ts';
import { dataText } from '../wire/records.ts';
import { createRecords, type PodMode, type Records } from './records.ts';

const open: Records[] = [];
afterEach(() => {
  for (const records of open.splice(0)) records.close();
});

function recordsOf(store: Store, podMode: PodMode = 'disabled', now = { at: 1000 }): Records {
  const records = createRecords({
    store,
    clusterDomain: 'cluster.local.',
    podMode,
    clock: { now: () => now.at * 1000 },
  });
  open.push(records);
  return records;
}

function queryOf(name: string, type: number): Query {
  const parsed = parseQuery(encodeQuery(name, type));
  if (!parsed.ok) throw new Error('not a query');
  return parsed.query;
}

/** Data of the answers, or the rcode when there are none; through the ready answers as the plugin does it. */
function ask(records: Records, name: string, type: number = recordType.A): string {
  const query = queryOf(name, type);
  const known = records.ready(query);
  const asked = { name: nameOf(query), labels: labelsOf(query), type };
  const { rcode, answers } = (known ?? records.prepare(query, records.resolve(asked)!)).answer;
  return answers.length > 0 ? answers.map(({ data }) => dataText(data)).join(' ') : `rcode ${rcode}`;
}

const put = (store: Store, resource: string, object: object) => store.put(resource, object as KubeObject);
const service = (store: Store, name: string, clusterIP: string, more: object = {}) =>
  put(store, 'services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', ...more },
    spec: { clusterIP, ports: [{ port: 80 }] },
  });
const slice = (store: Store, name: string, of: string, addresses: string[]) =>
  put(store, 'endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address] })),
    ports: [{ port: 80, name: 'http', protocol: 'TCP' }],
  });

describe('records', () => {
  it('answer what is there before and after they were made', () => {
    const store = createStore();
    service(store, 'early', '10.0.0.1');
    const records = recordsOf(store);
    service(store, 'late', '10.0.0.2');
    expect(ask(records, 'early.shop.svc.cluster.local.')).toBe('10.0.0.1');
    expect(ask(records, 'late.shop.svc.cluster.local.')).toBe('10.0.0.2');
  });

  it('change with one slice only the names of its Service', () => {
    const store = createStore();
    service(store, 'a', 'None');
    service(store, 'b', 'None');
    slice(store, 'a-1', 'a', ['10.1.0.1']);
    slice(store, 'a-2', 'a', ['10.1.0.2']);
    slice(store, 'b-1', 'b', ['10.2.0.1']);
    const records = recordsOf(store);
    const nameOfA = 'a.shop.svc.cluster.local.';
    const nameOfB = 'b.shop.svc.cluster.local.';
    expect([ask(records, nameOfA), ask(records, nameOfB)]).toEqual(['10.1.0.1 10.1.0.2', '10.2.0.1']);
    const [readyA, readyB] = [records.ready(queryOf(nameOfA, 1)), records.ready(queryOf(nameOfB, 1))];
    expect(readyA && readyB).toBeDefined();

    slice(store, 'a-2', 'a', ['10.1.0.3']);
    expect(records.ready(queryOf(nameOfB, 1))).toBe(readyB);
    expect(records.ready(queryOf(nameOfA, 1))).toBeUndefined();
    expect(ask(records, nameOfA)).toBe('10.1.0.1 10.1.0.3');
    expect(ask(records, '2.0.1.10.in-addr.arpa.', recordType.PTR)).toBe('rcode 3');
    expect(ask(records, '3.0.1.10.in-addr.arpa.', recordType.PTR)).toBe('10-1-0-3.a.shop.svc.cluster.local.');

    slice(store, 'a-2', 'b', ['10.1.0.3']);
    expect([ask(records, nameOfA), ask(records, nameOfB)]).toEqual(['10.1.0.1', '10.1.0.3 10.2.0.1']);
    store.remove('endpointslices.discovery.k8s.io', 'shop/a-1');
    expect(ask(records, nameOfA)).toBe('rcode 3');
    store.remove('services', 'shop/b');
    expect(ask(records, nameOfB)).toBe('rcode 3');
  });

  it('keep ready answers and serial through changes that DNS cannot show', () => {
    const store = createStore();
    const now = { at: 1000 };
    service(store, 'a', '10.0.0.1');
    const records = recordsOf(store, 'disabled', now);
    ask(records, 'a.shop.svc.cluster.local.');
    const ready = records.ready(queryOf('a.shop.svc.cluster.local.', 1));
    now.at = 2000;
    service(store, 'a', '10.0.0.1', { labels: { touched: 'yes' } });
    expect(records.ready(queryOf('A.shop.svc.cluster.local.', 1))).toBe(ready);
    expect(records.serial()).toBe(1000);
    service(store, 'a', '10.0.0.9');
    expect(ask(records, 'a.shop.svc.cluster.local.')).toBe('10.0.0.9');
    expect(records.serial()).toBe(2000);
  });

  it('forget aliases at once when what they lead to changes', () => {
    const store = createStore();
    service(store, 'a', '10.0.0.1');
    put(store, 'services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'alias', namespace: 'shop' },
      spec: { type: 'ExternalName', externalName: 'a.shop.svc.cluster.local' },
    });
    const records = recordsOf(store);
    expect(ask(records, 'alias.shop.svc.cluster.local.')).toBe('a.shop.svc.cluster.local. 10.0.0.1');
    service(store, 'a', '10.0.0.2');
    expect(ask(records, 'alias.shop.svc.cluster.local.')).toBe('a.shop.svc.cluster.local. 10.0.0.2');
  });

  it('know a namespace by its object or by its Services', () => {
    const store = createStore();
    const records = recordsOf(store);
    expect(ask(records, 'shop.svc.cluster.local.')).toBe('rcode 3');
    service(store, 'a', '10.0.0.1');
    expect(ask(records, 'shop.svc.cluster.local.')).toBe('rcode 0');
    store.remove('services', 'shop/a');
    expect(ask(records, 'shop.svc.cluster.local.')).toBe('rcode 3');
    put(store, 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    expect(ask(records, 'shop.svc.cluster.local.')).toBe('rcode 0');
  });

  it('answer Pod names by mode; verified ones in both families, while the Pod runs', () => {
    const store = createStore();
    put(store, 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const pod = (phase: string) =>
      put(store, 'pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', namespace: 'shop' },
        spec: { containers: [] },
        status: { phase, podIP: '10.1.0.1', podIPs: [{ ip: '10.1.0.1' }, { ip: 'fd00::1' }] },
      });
    pod('Running');
    const [verified, insecure, disabled] = [
      recordsOf(store, 'verified'),
      recordsOf(store, 'insecure'),
      recordsOf(store),
    ];
    const four = '10-1-0-1.shop.pod.cluster.local.';
    const six = 'fd00--1.shop.pod.cluster.local.';
    expect([ask(verified, four), ask(verified, six, 28), ask(insecure, four), ask(disabled, four)]).toEqual([
      '10.1.0.1',
      'fd00::1',
      '10.1.0.1',
      'rcode 3',
    ]);
    expect(ask(verified, '10-1-0-2.shop.pod.cluster.local.')).toBe('rcode 3');
    expect(ask(verified, '10-1-0-1.other.pod.cluster.local.')).toBe('rcode 3');
    pod('Succeeded');
    expect([ask(verified, four), ask(insecure, four)]).toEqual(['rcode 3', '10.1.0.1']);
    pod('Running');
    expect(ask(verified, four)).toBe('10.1.0.1');
    store.remove('pods', 'shop/p');
    expect(ask(verified, four)).toBe('rcode 3');
  });

  it('keep no more ready answers than allowed, those for names that clients make up apart', () => {
    const store = createStore();
    service(store, 'a', '10.0.0.1');
    const limits = { readyLimit: 2, missingLimit: 10 };
    const records = createRecords({ store, clusterDomain: 'cluster.local.', podMode: 'disabled', ...limits });
    open.push(records);
    expect(ask(records, 'a.shop.svc.cluster.local.')).toBe('10.0.0.1');
    for (let i = 0; i < 50; i++) ask(records, `x${i}.a.shop.svc.cluster.local.`);
    const kept = Array.from({ length: 50 }, (_, i) => records.ready(queryOf(`x${i}.a.shop.svc.cluster.local.`, 1)));
    expect(kept.filter((answer) => answer !== undefined)).toHaveLength(10);
    expect(kept[49]).toBeDefined();
    expect(records.ready(queryOf('a.shop.svc.cluster.local.', 1))).toBeDefined();
    expect(ask(records, 'a.shop.svc.cluster.local.', 16)).toBe('rcode 0');
    expect(records.ready(queryOf('a.shop.svc.cluster.local.', 16))).toBeUndefined();
    expect(ask(records, 'a.shop.svc.cluster.local.', 28)).toBe('rcode 0');
    expect(records.ready(queryOf('a.shop.svc.cluster.local.', 28))).toBeDefined();
  });

  it('after any series of changes are the same as records made fresh', () => {
    const names = ['a', 'b', 'c'];
    const step = fc.oneof(
      fc.tuple(
        fc.constant('service' as const),
        fc.constantFrom(...names),
        fc.constantFrom('None', '10.0.0.1', '10.0.0.2'),
      ),
      fc.tuple(fc.constant('slice' as const), fc.constantFrom(...names), fc.constantFrom(...names)),
      fc.tuple(fc.constant('drop' as const), fc.constantFrom(...names), fc.constant('')),
      fc.tuple(fc.constant('cut' as const), fc.constantFrom(...names), fc.constant('')),
    );
    const questions = [
      ...names.flatMap((name) => [1, 28, 33].map((type) => [`${name}.shop.svc.cluster.local.`, type] as const)),
      ...names.map((name) => [`10-1-0-${name.charCodeAt(0)}.${name}.shop.svc.cluster.local.`, 1] as const),
      ['1.0.0.10.in-addr.arpa.', 12] as const,
      ['97.0.1.10.in-addr.arpa.', 12] as const,
    ];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const store = createStore();
        const followed = recordsOf(store);
        for (const [what, name, value] of steps) {
          if (what === 'service') service(store, name, value);
          if (what === 'slice') slice(store, `slice-${name}`, value, [`10.1.0.${name.charCodeAt(0)}`]);
          if (what === 'drop') store.remove('services', `shop/${name}`);
          if (what === 'cut') store.remove('endpointslices.discovery.k8s.io', `shop/slice-${name}`);
          const fresh = recordsOf(store);
          for (const [question, type] of questions)
            expect(ask(followed, question, type)).toBe(ask(fresh, question, type));
          open.pop()!.close();
        }
        open.pop()!.close();
      }),
      { numRuns: 40 },
    );
  });
});
