/** Repeated answers are what the chain would have answered, are counted as such, and end when they no longer hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { parseCorefile } from '../corefile/parse.ts';
import { checkDirective } from '../plugins/order.ts';
import type { Client } from '../plugins/plugin.ts';
import { over, unchanged } from '../plugins/repeat.ts';
import type { Shared } from '../plugins/setup.ts';
import { encodeQuery, type QueryOptions } from '../wire/ask.ts';
import { decodeMessage } from '../wire/decode.ts';
import { recordType } from '../wire/numbers.ts';
import { parseQuery } from '../wire/query.ts';
import { dataText } from '../wire/records.ts';
import { createInstance } from './instance.ts';
import { createRepeatTable } from './repeats.ts';

const kubeadm = `.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus 127.81.8.1:0
    hosts {
       192.0.2.7 fixed.test
       fallthrough
    }
    template IN A cached.test {
       answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
    forward . 127.0.0.1:9
    cache 30
    loop
    loadbalance
}
`;

function cluster() {
  const store = createStore();
  const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
  const service = (clusterIP: string, labels = {}, name = 'web') =>
    put('services', {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop', labels } },
      spec: { clusterIP, ports: [{ name: 'http', port: 80 }] },
    });
  service('10.96.0.7');
  put('services', {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'pods', namespace: 'shop' } },
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
  });
  put('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'pods-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'pods' } },
    addressType: 'IPv4',
    endpoints: ['10.1.0.1', '10.1.0.2', '10.1.0.3'].map((address) => ({ addresses: [address] })),
    ports: [{ name: 'http', port: 80 }],
  });
  return { store, service };
}

function serve(corefile = kubeadm) {
  const { store, service } = cluster();
  const clock = { at: 1_800_000_000_000 };
  const metrics = createMetricsRegistry();
  const shared: Shared = {
    ...{ metrics, clock: { now: () => clock.at }, log: () => {}, mapAddress: (wanted) => wanted },
    openObjects: () => ({ store, synced: () => true, close: () => {} }),
    fatal: () => {},
    reload: () => Promise.resolve({ changed: false }),
    configurationHash: () => '',
    ownDoors: () => [],
    notReady: () => [],
    stopping: () => false,
  };
  const parsed = parseCorefile(corefile, { file: 'Corefile', checkDirective });
  if (!parsed.ok) throw new Error(parsed.error.message);
  const instance = createInstance(parsed.value, { shared, defaultPort: 53 });
  if (!instance.ok) throw new Error(instance.error.message);
  const [listener] = instance.value.listeners;
  const client: Client = { address: '192.0.2.99', port: 4000, protocol: 'udp' };
  const packet = (name: string, type: number = recordType.A, options: QueryOptions = {}) =>
    encodeQuery(name, type, { id: 7, ...options });
  return {
    ...{ service, clock, packet, close: () => instance.value.close() },
    /** Through the whole chain. */
    chain: (query: Uint8Array) => listener!.handle(query, client) as Uint8Array,
    /** The short way only. */
    repeat: (query: Uint8Array, from = client.address) => listener!.repeats?.answer(query, from),
    counts: (pattern: RegExp) =>
      metrics
        .expose()
        .split('\n')
        .filter((line) => pattern.test(line) && !/duration|_bucket/.test(line)),
  };
}

const data = (response: Uint8Array | undefined): string[] => {
  const decoded = response && decodeMessage(response);
  if (!decoded?.ok) return ['nothing'];
  return decoded.value.answers.map(({ name, ttl, data: found }) => `${name} ${ttl} ${dataText(found)}`);
};

describe('an answer that comes again', () => {
  it('is the chain’s own, byte for byte, with the id and the spelling of the new question', async () => {
    const server = serve();
    for (const [name, type, options] of [
      ['web.shop.svc.cluster.local', recordType.A, {}],
      ['web.shop.svc.cluster.local', recordType.AAAA, {}],
      ['_http._tcp.web.shop.svc.cluster.local', recordType.SRV, {}],
      [
        'web.shop.svc.cluster.local',
        recordType.A,
        { edns: { udpSize: 1232, version: 0, dnssecOk: true, options: [] } },
      ],
      ['web.shop.svc.cluster.local', recordType.A, { recursionDesired: false, checkingDisabled: true }],
      ['cached.test', recordType.A, {}],
    ] as const) {
      const query = server.packet(name, type, options);
      server.chain(query);
      server.chain(query);
      expect(server.repeat(query)).toBeDefined();
      const again = server.packet(name.toUpperCase(), type, { ...options, id: 51_000 });
      expect(Buffer.from(server.repeat(again)!)).toEqual(Buffer.from(server.chain(again)));
    }
    await server.close();
  });

  it('is counted like any other', async () => {
    const [short, long] = [serve(), serve()];
    const names = ['web.shop.svc.cluster.local', 'cached.test'];
    for (const name of names) {
      const query = short.packet(name);
      for (let i = 0; i < 10; i++) {
        long.chain(query);
        if (!short.repeat(query)) short.chain(query);
      }
    }
    expect(short.counts(/^coredns_/)).toEqual(long.counts(/^coredns_/));
    expect(short.counts(/requests_total.*type="A"/)[0]).toMatch(/ 20$/);
    await Promise.all([short.close(), long.close()]);
  });

  it('ends at once when its Service changes, and not when nothing that DNS shows does', async () => {
    const server = serve();
    const query = server.packet('web.shop.svc.cluster.local');
    server.chain(query);
    server.chain(query);
    expect(data(server.repeat(query))).toEqual(['web.shop.svc.cluster.local. 30 10.96.0.7']);
    server.service('10.96.0.7', { some: 'label' });
    expect(server.repeat(query)).toBeDefined();
    server.service('10.96.0.8');
    expect(server.repeat(query)).toBeUndefined();
    expect(data(server.chain(query))).toEqual(['web.shop.svc.cluster.local. 30 10.96.0.8']);
    await server.close();
  });

  it('says that a name does not exist until its Service comes', async () => {
    const server = serve();
    const names = ['www.example.com.shop.svc.cluster.local', 'new.shop.svc.cluster.local', 'example.com.cluster.local'];
    const queries = names.map((name) => server.packet(name));
    for (const query of queries) {
      server.chain(query);
      server.chain(query);
      expect(server.repeat(query)![3]! & 15).toBe(3);
      expect(Buffer.from(server.repeat(query)!)).toEqual(Buffer.from(server.chain(query)));
    }
    server.service('10.96.0.9', {}, 'new');
    expect(queries.map((query) => server.repeat(query) !== undefined)).toEqual([true, false, true]);
    expect(data(server.chain(queries[1]!))).toEqual(['new.shop.svc.cluster.local. 30 10.96.0.9']);
    await server.close();
  });

  it('counts its TTL down when it is kept by the cache, and ends with it', async () => {
    const server = serve();
    const query = server.packet('cached.test');
    expect(data(server.chain(query))).toEqual(['cached.test. 30 192.0.2.1']);
    server.chain(query);
    server.clock.at += 12_000;
    expect(data(server.repeat(query))).toEqual(['cached.test. 18 192.0.2.1']);
    server.clock.at += 18_000;
    expect(server.repeat(query)).toBeUndefined();
    await server.close();
  });

  it('holds no longer than the cache keeps denials', async () => {
    const server = serve(kubeadm.replace('cache 30', 'cache {\n success 1024 20\n denial 1024 7\n }'));
    const ttls = (name: string, type: number = recordType.A) => {
      const query = server.packet(name, type);
      return [server.chain(query), server.chain(query), server.repeat(query)!].map((response) => {
        const decoded = decodeMessage(response);
        return decoded.ok ? [...decoded.value.answers, ...decoded.value.authority].map(({ ttl }) => ttl) : [];
      });
    };
    expect(ttls('web.shop.svc.cluster.local')).toEqual([[20], [20], [20]]);
    expect(ttls('nobody.shop.svc.cluster.local')).toEqual([[7], [7], [7]]);
    expect(ttls('web.shop.svc.cluster.local', recordType.AAAA)).toEqual([[7], [7], [7]]);
    await server.close();
  });

  it('ends when the cache had to make room, which it does where nobody asks', async () => {
    const server = serve(kubeadm.replace('cache 30', 'cache 30 {\n success 1024\n }'));
    const used = server.packet('used.cached.test');
    const unused = server.packet('unused.cached.test');
    for (const query of [unused, unused, used, used]) server.chain(query);
    // Takes the marks that the questions above have left, and makes room for one.
    for (let i = 0; i < 1023; i++) server.chain(server.packet(`n${i}.cached.test`));
    expect(server.repeat(used)).toBeDefined();
    for (let i = 0; i < 1023; i++) server.chain(server.packet(`o${i}.cached.test`));
    expect(server.repeat(used)).toBeDefined();
    expect(server.repeat(unused)).toBeUndefined();
    expect(server.counts(/cache_evictions_total.*success/)[0]).toMatch(/ 1024$/);
    await server.close();
  });

  it('has the addresses of a headless Service in another order each time', async () => {
    const server = serve();
    const query = server.packet('pods.shop.svc.cluster.local');
    server.chain(query);
    server.chain(query);
    const orders = new Set(Array.from({ length: 200 }, () => data(server.repeat(query)).join()));
    expect(orders.size).toBe(6);
    await server.close();
  });

  it('is not given to clients of the other family, who are counted apart', async () => {
    const server = serve();
    const query = server.packet('web.shop.svc.cluster.local');
    server.chain(query);
    server.chain(query);
    expect(server.repeat(query, '2001:db8::9')).toBeUndefined();
    await server.close();
  });

  it('is asked of the chain where a plugin looks at the client or at each query', async () => {
    const added = [
      'log',
      'metadata',
      'acl {\n block net 10.0.0.0/8\n }',
      'rewrite name a.test b.test',
      'erratic {\n drop 2\n }',
      `view one {\n expr "type() == 'A'"\n }`,
    ];
    for (const line of added) {
      const server = serve(kubeadm.replace('errors', `errors\n    ${line}`));
      const query = server.packet('web.shop.svc.cluster.local');
      for (let i = 0; i < 3; i++) server.chain(query);
      expect(server.repeat(query), line).toBeUndefined();
      await server.close();
    }
  });

  it('is not found for queries that say more than their question', async () => {
    const server = serve();
    const cookie = { code: 10, data: Buffer.from('0123456789abcdef', 'hex') };
    const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [cookie] };
    const query = server.packet('web.shop.svc.cluster.local', recordType.A, { edns });
    for (let i = 0; i < 3; i++) server.chain(query);
    expect(server.repeat(query)).toBeUndefined();
    await server.close();
  });
});

const from = '192.0.2.1';

function remembered(name: string, table = createRepeatTable(100)) {
  const packet = encodeQuery(name, recordType.A);
  const parsed = parseQuery(packet);
  if (!parsed.ok) throw new Error('not a query');
  const response = Buffer.concat([packet, Buffer.from([1, 2, 3])]);
  let holds = true;
  const repeat = { again: () => (holds ? unchanged : over) };
  const ready = { bytes: response, answer: undefined as never };
  table.remember({ query: parsed.query, family: 4, response, ready, shuffle: false, repeat, count: [] });
  return { table, packet, end: () => (holds = false) };
}

describe('the table', () => {
  it('keeps no more than its limit, the latest', () => {
    const { table, packet } = remembered('a.test');
    const second = remembered('b.test', table);
    const third = remembered('c.test', table);
    expect(table.size).toBe(2);
    expect(table.answer(packet, from)).toBeUndefined();
    expect(table.answer(second.packet, from)).toBeDefined();
    expect(table.answer(third.packet, from)).toBeDefined();
  });

  it('forgets what no longer holds', () => {
    const { table, packet, end } = remembered('a.test');
    end();
    expect(table.answer(packet, from)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  it('leaves bytes alone that are still being sent', () => {
    const { table } = remembered('a.test');
    const one = table.answer(encodeQuery('a.test', recordType.A, { id: 1 }), from)!;
    table.release();
    const two = table.answer(encodeQuery('a.test', recordType.A, { id: 2 }), from)!;
    expect([one[1], two[1]]).toEqual([1, 2]);
  });

  it('never answers another question than the one that was asked', () => {
    const { table, packet } = remembered('a.test');
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 40 }),
        fc.nat(packet.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (noise, at, change) => {
          expect(table.answer(noise, from)).toBeUndefined();
          const other = Buffer.from(packet);
          other[at]! ^= change;
          const onlyCase =
            at >= 12 && at < packet.length - 4 && change === 0x20 && /[a-z]/i.test(String.fromCharCode(packet[at]!));
          expect(table.answer(other, from) !== undefined).toBe(at < 2 || onlyCase);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
