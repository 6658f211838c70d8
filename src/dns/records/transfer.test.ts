/** The names of a cluster as one zone: every name in it resolves to what stands there. */
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { foldCase, parseName } from '../wire/name.ts';
import { recordText } from '../wire/records.ts';
import { createRecords, type Records, type RecordsOptions } from './records.ts';
import { clusterZone } from './transfer.ts';

const open: Records[] = [];
afterEach(() => {
  for (const records of open.splice(0)) records.close();
});

const store = createStore();
const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
const service = (namespace: string, name: string, spec: object) =>
  put('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec });
const slice = (of: string, addresses: string[], ports: object[], family = 'IPv4', hostname?: string) =>
  put('endpointslices.discovery.k8s.io', {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: family, ports },
    metadata: { name: `${of}-${family}`, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
    endpoints: addresses.map((address) => ({ addresses: [address], ...(hostname && { hostname }) })),
  });

const http = { name: 'http', port: 80, protocol: 'TCP' };
service('shop', 'web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'], ports: [http, { port: 81 }] });
slice('web', ['10.244.0.9'], [http]);
service('front', 'web', { clusterIP: '10.96.0.8' });
service('shop', 'pending', { clusterIP: '', ports: [http] });
service('shop', 'db', { clusterIP: 'None', ports: [http] });
slice('db', ['10.244.0.1', '10.244.0.2'], [http, { name: 'dns', port: 53, protocol: 'UDP' }]);
slice('db', ['fd00:244::1'], [http], 'IPv6', 'db-0');
service('shop', 'bare', { clusterIP: 'None' });
slice('bare', ['10.244.0.3'], []);
service('shop', 'unready', { clusterIP: 'None', ports: [http] });
service('shop', 'ext', { type: 'ExternalName', externalName: 'www.example.net' });
service('shop', 'ip', { type: 'ExternalName', externalName: '192.0.2.1' });

function recordsOf(more: Partial<RecordsOptions> = {}): Records {
  const clock = { now: () => 1_700_000_000_000 };
  const records = createRecords({ store, clusterDomain: 'cluster.local', podMode: 'insecure', clock, ...more });
  open.push(records);
  return records;
}

const lines = (records: Records) => [...clusterZone(records).records()].map(recordText);
const owners = (records: Records) => [...new Set(lines(records).map((line) => line.split('.cluster.local')[0]))];

describe('a cluster domain as a zone', () => {
  it('has name servers first, then Services by name and namespace', () => {
    const records = recordsOf({ ownAddresses: () => ['192.0.2.53'] });
    expect(lines(records).slice(0, 2)).toEqual([
      'cluster.local. 5 NS ns.dns.cluster.local.',
      'ns.dns.cluster.local. 5 A 192.0.2.53',
    ]);
    expect(owners(records).slice(2)).toEqual([
      'bare.shop.svc',
      '10-244-0-3.bare.shop.svc',
      'db.shop.svc',
      '10-244-0-1.db.shop.svc',
      '10-244-0-2.db.shop.svc',
      'db-0.db.shop.svc',
      '_http._tcp.db.shop.svc',
      '_dns._udp.db.shop.svc',
      'ext.shop.svc',
      'web.front.svc',
      'web.shop.svc',
      '_http._tcp.web.shop.svc',
    ]);
    expect(clusterZone(records)).toMatchObject({ serial: 1_700_000_000, soa: { name: 'cluster.local.', type: 6 } });
  });

  it('has the records that each of its names resolves to', () => {
    const records = recordsOf({ ttl: 30 });
    const zone = [...clusterZone(records).records()];
    expect(zone.length).toBeGreaterThan(15);
    const sets = new Map<string, string[]>();
    for (const record of zone) {
      const key = `${record.name} ${record.type}`;
      sets.set(key, [...(sets.get(key) ?? []), recordText(record)]);
    }
    for (const [key, set] of sets) {
      const [name = '', type] = key.split(' ');
      const labels = (parseName(name) ?? []).map(foldCase);
      const { answers } = records.resolve({ name, labels, type: Number(type) })!;
      expect(answers.map(recordText).sort()).toEqual(set.sort());
    }
  });

  it('leaves out Services without endpoints where those do not exist', () => {
    expect(owners(recordsOf({ ignoreEmptyServices: true }))).not.toContain('web.front.svc');
    expect(owners(recordsOf())).toContain('web.front.svc');
  });

  it('stays what it was while it is read', () => {
    const records = recordsOf();
    const before = lines(records);
    const reading = clusterZone(records).records()[Symbol.iterator]();
    const first = reading.next();
    service('shop', 'late', { clusterIP: '10.96.0.99' });
    const rest: string[] = [recordText(first.value)];
    for (let next = reading.next(); !next.done; next = reading.next()) rest.push(recordText(next.value));
    expect(rest).toEqual(before);
    expect(lines(records).length).toBeGreaterThan(before.length);
  });
});
