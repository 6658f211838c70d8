/**
 * A server that repeats answers is told apart from one that asks the plugins each time by nothing: random sequences of
 * queries and of changes to the cluster, the hosts file and the clock give the same responses and the same counters.
 */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { parseCorefile } from '../corefile/parse.ts';
import { createTestCluster, httpPort, type TestCluster } from '../plugins/kubernetes/cluster.fixture.ts';
import { checkDirective } from '../plugins/order.ts';
import type { Client } from '../plugins/plugin.ts';
import type { Shared } from '../plugins/setup.ts';
import { createWasteLedger } from '../waste/ledger.ts';
import { encodeQuery } from '../wire/ask.ts';
import { decodeMessage } from '../wire/decode.ts';
import { recordType } from '../wire/numbers.ts';
import { recordText } from '../wire/records.ts';
import { createInstance, type Instance } from './instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairway-repeats-'));
const hostsFile = join(folder, 'hosts');
afterAll(() => rmSync(folder, { recursive: true }));

/** `odd` are lines of the cache, `more` other plugins. */
const corefile = (odd: string, more: string) => `.:53 {
    errors
    ${more}
    kubernetes nested.cluster.local cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus 127.82.11.1:0
    hosts ${hostsFile} test {
       192.0.2.7 fixed.test
       reload 1s
       fallthrough
    }
    template IN A test {
       match ^short
       answer "{{ .Name }} 7 IN A 192.0.2.1"
       answer "{{ .Name }} 9 IN A 192.0.2.2"
       fallthrough
    }
    template IN A test {
       match ^alias
       answer "{{ .Name }} 60 IN CNAME short.test."
       fallthrough
    }
    template IN AAAA test {
       match ^missing
       rcode NXDOMAIN
       authority "test. 20 IN SOA ns.test. host.test. 1 2 3 4 20"
       fallthrough
    }
    template IN TXT test {
       rcode SERVFAIL
    }
    template ANY ANY denied.test {
       rcode NXDOMAIN
       authority "denied.test. 90 IN SOA ns.test. host.test. 1 2 3 4 90"
    }
    ${odd}
    loop
    loadbalance
}
watched.test:53 {
    log
    template IN A watched.test {
       answer "{{ .Name }} 60 IN A 192.0.2.9"
    }
    prometheus 127.82.11.1:0
    cache 10
}
`;

const caches = [
  'cache 30',
  '',
  'cache 30 {\n keepttl\n }',
  'cache 10 test cluster.local',
  'cache 30 {\n disable success cluster.local\n disable denial cluster.local\n }',
  'cache {\n success 1024 10\n denial 1024 5\n servfail 3s\n }',
  'cache {\n prefetch 2 1m 50%\n }',
  'cache 20 {\n serve_stale 1m\n }',
  'cache 20 {\n serve_stale 1m verify\n servfail 0\n }',
] as const;
const others = [
  '',
  'bufsize 600',
  'any',
  'acl {\n block net 198.51.100.0/24\n }',
  'minimal',
  'chaos',
  'nsid x',
] as const;

const names = [
  ...['web.shop.svc.cluster.local', 'pods.shop.svc.cluster.local', 'p1.pods.shop.svc.cluster.local'],
  ...['_http._tcp.pods.shop.svc.cluster.local', '_http._tcp.web.shop.svc.cluster.local', 'new.shop.svc.cluster.local'],
  ...['out.shop.svc.cluster.local', 'shop.svc.cluster.local', 'other.svc.cluster.local', 'cluster.local'],
  ...['web.shop.svc.nested.cluster.local', '10-1-0-1.shop.pod.cluster.local', '10-1-0-1.other.pod.cluster.local'],
  ...['short.test.shop.svc.cluster.local', '7.0.96.10.in-addr.arpa', '1.0.1.10.in-addr.arpa', 'missing.test'],
  ...[
    'short.test',
    'alias.test',
    'fixed.test',
    'file.test',
    'denied.test',
    'watched.test',
    'dns-version.cluster.local',
    '.',
  ],
] as const;
const types = [
  ...[recordType.A, recordType.A, recordType.A, recordType.AAAA, recordType.SRV, recordType.PTR, recordType.TXT],
  ...[recordType.SOA, recordType.ANY, recordType.AXFR, recordType.DS, recordType.NS, recordType.HINFO],
];

type Change = (cluster: TestCluster, value: number) => void;
const slice = 'endpointslices.discovery.k8s.io';

const changes: Readonly<Record<string, Change>> = {
  web: ({ service }, value) => service('shop', 'web', { clusterIP: `10.96.0.${7 + (value % 2)}`, ports: [httpPort] }),
  webIsHeadless: ({ service }) => service('shop', 'web', { clusterIP: 'None', ports: [httpPort] }),
  webGone: ({ store }) => void store.remove('services', 'shop/web'),
  new: ({ service }, value) =>
    service('shop', 'new', { clusterIPs: [`10.96.1.${value % 3}`, 'fd00::7'], ports: [httpPort] }),
  newGone: ({ store }) => void store.remove('services', 'shop/new'),
  few: ({ slice: put }, value) =>
    put('shop', 'pods', [
      { addresses: ['10.1.0.1'], hostname: 'p1', conditions: { ready: value % 2 === 0 } },
      { addresses: [`10.1.0.${2 + (value % 3)}`] },
    ]),
  many: ({ slice: put }) =>
    put(
      'shop',
      'pods',
      Array.from({ length: 60 }, (_, i) => ({ addresses: [`10.1.1.${i}`] })),
    ),
  noneLeft: ({ store }) => void store.remove(slice, 'shop/pods-1'),
  other: ({ namespace }) => namespace('other'),
  otherGone: ({ store }) => void store.remove('namespaces', 'other'),
  out: ({ service }, value) =>
    service('shop', 'out', {
      type: 'ExternalName',
      externalName: ['short.test', 'web.shop.svc.cluster.local'][value % 2]!,
    }),
};

type Step =
  | {
      readonly kind: 'ask';
      readonly name: number;
      readonly type: number;
      readonly bits: number;
      readonly times: number;
    }
  | { readonly kind: 'change'; readonly which: string; readonly value: number }
  | { readonly kind: 'hosts'; readonly value: number }
  | { readonly kind: 'synced'; readonly value: boolean }
  | { readonly kind: 'wait'; readonly ms: number };

const ask = fc.record({
  kind: fc.constant('ask' as const),
  name: fc.nat(names.length - 1),
  type: fc.nat(types.length - 1),
  bits: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(0x3ff)),
  times: fc.integer({ min: 1, max: 4 }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: ask },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('change' as const),
        which: fc.constantFrom(...Object.keys(changes)),
        value: fc.nat(5),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.constantFrom(900, 3000, 6000, 11_000, 40_000, -20_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hosts' as const), value: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('synced' as const), value: fc.boolean() }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 10, maxLength: 60 },
);

/** What tells queries of one name and type apart; 0 is the plain one. */
function packetOf({ name, type, bits }: Extract<Step, { kind: 'ask' }>, id: number): Buffer {
  const edns = { udpSize: [512, 1232, 4096][bits % 3]!, version: 0, dnssecOk: (bits & 4) !== 0, options: [] };
  const text = (bits & 8) !== 0 ? names[name]!.toUpperCase() : names[name]!;
  const packet = Buffer.from(
    encodeQuery(text, types[type]!, {
      ...{ id, recursionDesired: (bits & 16) === 0, checkingDisabled: (bits & 32) !== 0 },
      ...((bits & 64) !== 0 && { authenticData: true }),
      ...((bits & 7) !== 0 && { edns }),
      ...((bits & 0x180) === 0x180 && { class: 3 }),
    }),
  );
  return (bits & 0x207) === 0x200 ? Buffer.concat([packet, Buffer.from([1, 2])]) : packet;
}

const clientOf = (bits: number): Client => ({
  address: (bits & 0x180) === 0x100 ? '2001:db8::9' : (bits & 0x180) === 0x80 ? '198.51.100.9' : '192.0.2.99',
  port: 4000,
  protocol: (bits & 0x240) === 0x240 ? 'tcp' : 'udp',
});

/** The response with its records in one order: which one comes first is chance. */
function readable(response: unknown): unknown {
  if (!(response instanceof Uint8Array)) return response;
  const decoded = decodeMessage(response);
  if (!decoded.ok) return Buffer.from(response).toString('hex');
  const { answers, authority, additional, edns, ...rest } = decoded.value;
  // Cut answers have another choice of the addresses each time.
  const cut = rest.truncated ? answers.map(({ name, ttl }) => `${name} ${ttl}`) : answers.map(recordText);
  const lists = [cut, authority.map(recordText), additional.map(recordText)].map((list) => [...list].sort());
  return { ...rest, edns, lists, size: response.length };
}

function open(text: string, cluster: TestCluster, state: { now: number; synced: boolean }) {
  const metrics = createMetricsRegistry();
  const clock = { now: () => state.now };
  const shared: Shared = {
    ...{ metrics, clock, log: () => {}, mapAddress: (wanted) => wanted },
    waste: createWasteLedger({ metrics, clock }),
    openObjects: () => ({ store: cluster.store, synced: () => state.synced, close: () => {} }),
    fatal: () => {},
    reload: () => Promise.resolve({ changed: false }),
    configurationHash: () => '',
    ownDoors: () => [],
    notReady: () => [],
    stopping: () => false,
  };
  const parsed = parseCorefile(text, { file: join(folder, 'Corefile'), checkDirective });
  if (!parsed.ok) throw new Error(parsed.error.message);
  const made = createInstance(parsed.value, { shared, defaultPort: 53 });
  if (!made.ok) throw new Error(`${made.error.message} ${JSON.stringify(made.error.position)}`);
  const instance: Instance = made.value;
  const hosts = instance.plugins.find(({ name }) => name === 'hosts');
  void hosts?.start?.();
  const [listener] = instance.listeners;
  let repeated = 0;
  return {
    close: () => instance.close(),
    repeated: () => repeated,
    async chain(packet: Uint8Array, client: Client) {
      return readable(await listener!.handle(packet, client));
    },
    async both(packet: Uint8Array, client: Client) {
      const known = client.protocol === 'udp' ? listener!.repeats?.answer(packet, client.address) : undefined;
      if (known) repeated++;
      return readable(known ? Buffer.from(known) : await listener!.handle(packet, client));
    },
    counts: () =>
      metrics
        .expose()
        .split('\n')
        .filter((line) => !line.startsWith('#') && !/duration|timestamp|process_/.test(line)),
  };
}

let stamp = 1_700_000_000;
function writeHosts(value: number): void {
  writeFileSync(
    hostsFile,
    ['', '192.0.2.1 file.test', '192.0.2.2 file.test short.test', '192.0.2.3 missing.test'][value]!,
  );
  // Each write is later than the one before, whatever the file system's resolution.
  utimesSync(hostsFile, ++stamp, stamp);
}

let repeatedInAll = 0;

const asksAgain: readonly Step[] = names.map((_, name) => ({ kind: 'ask', name, type: 0, bits: 0, times: 4 }));

async function compare(text: string, sequence: readonly Step[]): Promise<void> {
  const cluster = createTestCluster();
  const state = { now: 1_800_000_000_000, synced: true };
  writeHosts(1);
  cluster.namespace('shop');
  cluster.service('shop', 'pods', { clusterIP: 'None', ports: [httpPort] });
  for (const which of ['web', 'few', 'out']) changes[which]!(cluster, 0);
  const long = open(text, cluster, state);
  const short = open(text, cluster, state);
  let id = 0;
  const doers: { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => Promise<void> | void } = {
    async ask(step) {
      for (let i = 0; i < step.times; i++) {
        const packet = packetOf(step, ++id);
        const client = clientOf(step.bits);
        const wanted = await long.chain(packet, client);
        expect(await short.both(packet, client)).toEqual(wanted);
      }
    },
    change: ({ which, value }) => changes[which]!(cluster, value),
    hosts({ value }) {
      writeHosts(value);
      vi.advanceTimersByTime(1000);
    },
    synced({ value }) {
      state.synced = value;
    },
    wait({ ms }) {
      state.now += ms;
    },
  };
  try {
    for (const step of sequence) await doers[step.kind](step as never);
    expect(short.counts()).toEqual(long.counts());
    repeatedInAll += short.repeated();
  } finally {
    await Promise.all([long.close(), short.close()]);
  }
}

describe('a server that repeats answers, beside one that does not', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it.each(caches)('gives the same responses and counters with "%s"', async (odd) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(...others), (sequence, more) => compare(corefile(odd, more), sequence)),
      { numRuns: 20 },
    );
  });

  // Random sequences may hold nothing that repeats; one that must shows that something was compared.
  it.each(caches)('repeats what is asked again with "%s"', async (odd) => {
    repeatedInAll = 0;
    for (const more of others) await compare(corefile(odd, more), asksAgain);
    expect(repeatedInAll).toBeGreaterThan(0);
  });
});
