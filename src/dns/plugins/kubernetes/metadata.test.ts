/** Values about a query, as CoreDNS 1.14 publishes them. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { parseQuery } from '../../wire/query.ts';
import type { QueryContext } from '../plugin.ts';
import { createClients } from './clients.ts';
import { createTestCluster } from './cluster.fixture.ts';
import { createMetadata } from './metadata.ts';

const cluster = createTestCluster();
cluster.namespace('podns');
cluster.pod('podns', 'foo', ['10.240.0.1', 'fd00::1'], { 'app.kubernetes.io/name': 'foo', bar: 'baz' });
const clients = createClients(cluster.store);
const zonesOnly = {
  zones: ['cluster.local.', 'clusterset.local.', 'in-addr.arpa.'],
  grammarOf: (zone: string) => ({ multicluster: zone === 'clusterset.local.', zonal: false }),
};

function published(name: string, address = '10.10.10.10', options = {}): Record<string, string> {
  const parsed = parseQuery(encodeQuery(name, 1));
  if (!parsed.ok) throw new Error('not a query');
  const found: Record<string, string> = {};
  const context = { query: parsed.query, client: { address, port: 1, protocol: 'udp' } } as unknown as QueryContext;
  createMetadata({ ...zonesOnly, ...options })(context, (key, value) => {
    found[key.replace('kubernetes/', '')] = value();
  });
  return found;
}

const empty = { endpoint: '', kind: '', namespace: '', 'port-name': '', protocol: '', service: '' };

describe('metadata of kubernetes', () => {
  it.each<[string, Record<string, string>]>([
    ['foo.bar.notapod.cluster.local', { 'parse-error': 'invalid query name' }],
    ['a.b.c.s.ns.svc.cluster.local', { 'parse-error': 'invalid query name' }],
    ['1.0.0.10.in-addr.arpa', { 'parse-error': 'invalid query name' }],
    ['cluster.local', empty],
    ['svc.cluster.local', empty],
    ['ns.svc.cluster.local', { ...empty, kind: 'svc', namespace: 'ns' }],
    ['ns.pod.cluster.local', { ...empty, kind: 'pod', namespace: 'ns' }],
    ['10-240-0-1.podns.pod.cluster.local', { ...empty, kind: 'pod', namespace: 'podns', service: '10-240-0-1' }],
    ['S.ns.svc.cluster.local', { ...empty, kind: 'svc', namespace: 'ns', service: 's' }],
    [
      '_http._tcp.s.ns.svc.cluster.local',
      { ...empty, kind: 'svc', namespace: 'ns', service: 's', 'port-name': 'http', protocol: 'tcp' },
    ],
    ['ep.s.ns.svc.cluster.local', { ...empty, kind: 'svc', namespace: 'ns', service: 's', endpoint: 'ep' }],
    [
      'ep.c1.s.ns.svc.clusterset.local',
      { ...empty, kind: 'svc', namespace: 'ns', service: 's', endpoint: 'ep', cluster: 'c1' },
    ],
    ['s.ns.svc.clusterset.local', { ...empty, kind: 'svc', namespace: 'ns', service: 's', cluster: '' }],
    ['example.com', {}],
  ])('about %s', (name, expected) => {
    expect(published(name)).toEqual(expected);
  });

  it('has the topology zone where names may ask for one', () => {
    const zonal = { grammarOf: () => ({ zonal: true }) };
    expect(published('a.b.pin._zone.s.ns.svc.cluster.local', '', zonal)).toMatchObject({ zone: 'a.b', service: 's' });
    expect(published('s.ns.svc.cluster.local', '', zonal)).toMatchObject({ zone: '', service: 's' });
    expect(published('a.pin._zone.s.ns.svc.cluster.local')).toEqual({ 'parse-error': 'invalid query name' });
  });

  it.each(['10.240.0.1', 'fd00:0::1'])('knows the Pod that asks from %s', (address) => {
    expect(published('example.com', address, { clients })).toEqual({
      'client-namespace': 'podns',
      'client-pod-name': 'foo',
      'client-label/app.kubernetes.io/name': 'foo',
      'client-label/bar': 'baz',
    });
    expect(published('example.com', '10.240.0.2', { clients })).toEqual({});
  });

  it('follows the Pods, and passes over those that share an address with their node', () => {
    const moving = createTestCluster();
    const known = createClients(moving.store);
    moving.pod('a', 'first', ['10.0.0.1']);
    expect(known.podAt('10.0.0.1')?.metadata.name).toBe('first');
    // The address goes to another Pod before the first is gone.
    moving.pod('a', 'second', ['10.0.0.1']);
    moving.store.remove('pods', 'a/first');
    expect(known.podAt('10.0.0.1')?.metadata.name).toBe('second');
    moving.store.put('pods', {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'host', namespace: 'a' } },
      ...{ spec: { hostNetwork: true }, status: { phase: 'Running', podIP: '192.0.2.1' } },
    } as never);
    expect(known.podAt('192.0.2.1')).toBeUndefined();
    known.close();
  });
});

describe('the log', () => {
  const open: TestServer[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.stop()));
  });

  it('shows which Pod asked for which Service', async () => {
    const own = createTestCluster();
    // Where questions to any address of this machine's loopback come from.
    own.pod('shop', 'client', ['127.0.0.1'], { app: 'web' });
    const server = await serveCorefile(
      `. {
 metadata
 log . "{/kubernetes/client-namespace} {/kubernetes/client-pod-name} {/kubernetes/client-label/app} {/kubernetes/service}"
 kubernetes cluster.local {
  pods verified
 }
}`,
      { address: '127.82.2.4', store: own.store },
    );
    open.push(server);
    await server.ask('db.shop.svc.cluster.local');
    expect(server.logs.join('\n')).toContain('shop client web db');
  });
});
