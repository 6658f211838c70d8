/** The list of names, judged by a zone transfer's list and by what the resolver answers. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRecords } from '../../dns/records/records.ts';
import { clusterZone } from '../../dns/records/transfer.ts';
import { recordText } from '../../dns/wire/records.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { servedByCorefile } from './corefile.ts';
import { createServed, type ServedRecord } from './records.ts';

const store = createStore();
const put = (resource: string, kind: string, metadata: object, rest: object) =>
  store.put(resource, { apiVersion: 'v1', kind, metadata, ...rest } as KubeObject);
const service = (name: string, spec: object, namespace = 'shop') =>
  put('services', 'Service', { name, namespace, labels: { app: name } }, { spec });

for (const name of ['shop', 'dev']) put('namespaces', 'Namespace', { name }, {});
service('web', {
  ...{ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] },
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
});
service('db', { clusterIP: 'None', ports: [{ port: 5432 }] });
service('out', { type: 'ExternalName', externalName: 'www.example.com' });
service('web', { clusterIP: '10.96.0.8', ports: [{ port: 80 }] }, 'dev');
put(
  'endpointslices.discovery.k8s.io',
  'EndpointSlice',
  { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
  {
    ports: [{ port: 5432 }],
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        hostname: 'db-0',
        targetRef: { kind: 'Pod', name: 'db-0' },
        conditions: { ready: true },
      },
      { addresses: ['10.0.0.2'], conditions: { ready: false } },
    ],
  },
);

const served = createServed({ store, clusterDomain: 'cluster.local' });
const textOf = ({ name, ttl, type, data }: ServedRecord) => `${name} ${ttl} ${type} ${data}`;
const ownerOf = ({ from }: ServedRecord) => from && `${from.namespace}/${from.name}`;

describe('records of a cluster', () => {
  it('are those of a zone transfer, and the names of their addresses', () => {
    const records = createRecords({ store, clusterDomain: 'cluster.local', podMode: 'disabled' });
    const transferred = [...clusterZone(records).records()]
      .filter(({ type, name }) => type !== 2 && !name.startsWith('ns.dns.'))
      .map(recordText);
    const all = served.list();
    const forward = all.filter(({ type }) => type !== 'PTR').map(textOf);
    expect(forward.sort()).toEqual(transferred.sort());
    expect(forward.length).toBeGreaterThanOrEqual(8);
    expect(all.filter(({ type }) => type === 'PTR').map(({ data }) => data)).toEqual([
      ...['web.dev', 'db-0.db.shop', 'web.shop', 'web.shop'].map((name) => `${name}.svc.cluster.local.`),
    ]);
    records.close();
  });

  it('are of one namespace, one Service, or one name', () => {
    expect([...new Set(served.list('dev').map(ownerOf))]).toEqual(['dev/web']);
    expect(served.list('nowhere')).toEqual([]);
    expect(served.service('shop', 'DB')!.map(textOf)).toEqual([
      'db.shop.svc.cluster.local. 5 A 10.0.0.1',
      'db-0.db.shop.svc.cluster.local. 5 A 10.0.0.1',
      '1.0.0.10.in-addr.arpa. 5 PTR db-0.db.shop.svc.cluster.local.',
    ]);
    expect(served.service('shop', 'nope')).toBeUndefined();
    const named = (text: string, namespace = 'shop') => {
      const found = served.name(text, namespace);
      return found.ok ? found.value.map(textOf) : found.error;
    };
    expect(named('db-0.db')).toEqual([
      'db-0.db.shop.svc.cluster.local. 5 A 10.0.0.1',
      'db-0.db.shop.svc.cluster.local. 5 SRV 0 100 5432 db-0.db.shop.svc.cluster.local.',
    ]);
    for (const name of ['web.dev', 'web.dev.svc', 'WEB.dev.svc.cluster.local.', 'web.dev.svc.cluster.local'])
      expect([name, named(name)]).toEqual([name, expect.arrayContaining([expect.stringMatching(/ A 10\.96\.0\.8$/)])]);
    expect(named('10.96.0.7')).toEqual(['7.0.96.10.in-addr.arpa. 5 PTR web.shop.svc.cluster.local.']);
    expect(named('out')).toEqual(['out.shop.svc.cluster.local. 5 CNAME www.example.com.']);
    expect(named('10-0-0-9.shop.pod')).toEqual(['10-0-0-9.shop.pod.cluster.local. 5 A 10.0.0.9']);
  });

  it('say why a name is not there', () => {
    const why = (text: string) => {
      const found = served.name(text, 'shop');
      return found.ok ? 'found' : found.error;
    };
    expect(why('nope')).toBe('no Service nope in namespace shop');
    expect(why('web.nowhere')).toBe('no namespace nowhere');
    expect(why('db-1.db')).toBe('Service shop/db has no ready endpoint named db-1, of 1');
    expect(why('_x._tcp.web.shop.svc')).toBe('Service shop/web has no port named x/tcp');
    expect(why('10.1.2.3')).toBe('no Service and no endpoint has the address 10.1.2.3');
    expect(why('www.example.org.')).toBe('not below cluster.local.');
    expect(why(`${'a'.repeat(64)}.`)).toBe('no such name can exist');
  });

  it('name the object behind an address of an endpoint', () => {
    expect(served.service('shop', 'db')![0]).toMatchObject({
      from: { kind: 'Service', namespace: 'shop', name: 'db' },
      endpoint: { slice: 'db-1', target: { kind: 'Pod', namespace: 'shop', name: 'db-0' } },
    });
  });

  it('name the object behind the name of an address, and the Pod behind its own name where it is verified', () => {
    const only = (of: ReturnType<typeof createServed>, name: string) => {
      const found = of.name(name, 'shop');
      return found.ok ? found.value[0] : found.error;
    };
    const db = { from: { kind: 'Service', namespace: 'shop', name: 'db' }, endpoint: { slice: 'db-1' } };
    expect(only(served, '10.0.0.1')).toMatchObject({ type: 'PTR', ...db });
    expect(only(served, '10.96.0.7')).toMatchObject({ from: { kind: 'Service', namespace: 'shop', name: 'web' } });
    put('pods', 'Pod', { name: 'p', namespace: 'shop' }, { status: { phase: 'Running', podIP: '10.0.0.9' } });
    const verified = createServed({ store, clusterDomain: 'cluster.local', podMode: 'verified' });
    expect(only(verified, '10-0-0-9.shop.pod')).toMatchObject({ from: { kind: 'Pod', namespace: 'shop', name: 'p' } });
    expect(only(served, '10-0-0-9.shop.pod')).not.toHaveProperty('from');
    verified.close();
  });

  it('are what the kubernetes plugin of a Corefile exposes, with its zone and TTL', () => {
    const folder = mkdtempSync(join(tmpdir(), 'served-'));
    const of = (text: string) => {
      writeFileSync(join(folder, 'Corefile'), text);
      return servedByCorefile(join(folder, 'Corefile'), store);
    };
    const good = of('. {\n forward . 192.0.2.1\n}\nprod.example {\n kubernetes {\n  namespaces dev\n  ttl 17\n }\n}');
    if (!good.ok) throw new Error(good.error);
    const list = createServed(good.value).list();
    expect(list.map(textOf)).toContain('web.dev.svc.prod.example. 17 A 10.96.0.8');
    expect([...new Set(list.map(ownerOf))]).toEqual(['dev/web']);
    expect(of('. {\n whoami\n}')).toMatchObject({ ok: false, error: expect.stringContaining('no server block') });
    expect(of('. {\n kubernetes a.example {\n  ttl x\n }\n}')).toMatchObject({
      ...{ ok: false, error: expect.stringMatching(/Corefile:3.*ttl/) },
    });
    expect(servedByCorefile(join(folder, 'none'), store)).toMatchObject({ ok: false });
  });
});
