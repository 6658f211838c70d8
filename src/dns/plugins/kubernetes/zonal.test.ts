/** Names by topology zone: the answers of CoreDNS 1.14 for the same endpoints. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { recordText } from '../../wire/records.ts';
import { createTestCluster, httpPort } from './cluster.fixture.ts';

const svc = 'hdls.testns.svc.cluster.local.';
let server: TestServer;
let plain: TestServer;

beforeAll(async () => {
  const cluster = createTestCluster();
  cluster.namespace('testns');
  cluster.service('testns', 'hdls', { clusterIP: 'None', ports: [httpPort] });
  cluster.service('testns', 'empty', { clusterIP: 'None', ports: [httpPort] });
  cluster.service('testns', 'clstr', { clusterIP: '10.0.0.10', ports: [httpPort] });
  cluster.service('testns', 'ext', { type: 'ExternalName', externalName: 'example.org' });
  cluster.slice('testns', 'hdls', [
    { addresses: ['172.0.0.1'], zone: 'us-west-2a' },
    { addresses: ['172.0.0.2'], zone: 'US-west-2b' },
    { addresses: ['172.0.0.3'], zone: 'us-west-2b' },
    { addresses: ['172.0.0.4'], zone: 'corp.example.com' },
    { addresses: ['172.0.0.5'] },
    { addresses: ['172.0.0.6'], zone: 'us-west-2a', conditions: { ready: false } },
  ]);
  const start = (options: string) =>
    serveCorefile(`. {\n kubernetes cluster.local {\n ${options}\n }\n}`, {
      ...{ address: '127.82.2.2', store: cluster.store },
    });
  [server, plain] = await Promise.all([start('zonal'), start('ttl 5')]);
});
afterAll(() => Promise.all([server.stop(), plain.stop()]));

const all = ['172.0.0.1', '172.0.0.2', '172.0.0.3', '172.0.0.4', '172.0.0.5'];

describe('zonal names', () => {
  it.each<[string, string[]]>([
    ['us-west-2a.pin', ['172.0.0.1']],
    ['us-west-2b.pin', ['172.0.0.2', '172.0.0.3']],
    ['US-WEST-2B.PIN', ['172.0.0.2', '172.0.0.3']],
    ['corp.example.com.pin', ['172.0.0.4']],
    ['us-west-2a.prefer', ['172.0.0.1']],
    ['us-west-2c.prefer', all],
  ])('%s._zone gives %j', async (prefix, addresses) => {
    const name = `${prefix}._zone.${svc}`;
    const expected = ['NOERROR', ...addresses.map((address) => `${name} 5 A ${address}`)].join(' ');
    // Twice: made, and ready.
    expect(await server.answers(name)).toBe(expected);
    expect(await server.answers(name)).toBe(expected);
  });

  it.each<[string, string, number, string[]]>([
    ['us-west-2b.pin', 'SRV', 50, ['172-0-0-2', '172-0-0-3']],
    ['us-west-2c.prefer', 'SRV', 20, all.map((address) => address.replaceAll('.', '-'))],
  ])('%s._zone %s weighs and names only those endpoints', async (prefix, type, weight, labels) => {
    const name = `${prefix}._zone.${svc}`;
    const { answers, additional } = await server.ask(name, type);
    expect(answers.map(recordText)).toEqual(labels.map((label) => `${name} 5 SRV 0 ${weight} 80 ${label}.${svc}`));
    expect(additional.map(recordText)).toEqual(
      labels.map((label) => `${label}.${svc} 5 A ${label.replaceAll('-', '.')}`),
    );
  });

  it.each<[string, string, string]>([
    [`us-west-2c.pin._zone.${svc}`, 'A', 'NOERROR'],
    [`us-west-2c.pin._zone.${svc}`, 'TXT', 'NOERROR'],
    [`us-west-2c.prefer._zone.${svc}`, 'TXT', 'NOERROR'],
    [`us-west-2a.pin._zone.${svc}`, 'AAAA', 'NOERROR'],
    [`us-west-2a.pin._zone.${svc}`, 'HTTPS', 'NOERROR'],
    ['a.pin._zone.empty.testns.svc.cluster.local', 'A', 'NOERROR'],
    ['a.prefer._zone.empty.testns.svc.cluster.local', 'A', 'NOERROR'],
    ['us-west-2a.pin._zone.ghost.testns.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['us-west-2a.pin._zone.clstr.testns.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['us-west-2a.prefer._zone.ext.testns.svc.cluster.local', 'A', 'NXDOMAIN'],
    [`us-west-2a.florp._zone.${svc}`, 'A', 'NXDOMAIN'],
    [`pin._zone.${svc}`, 'A', 'NXDOMAIN'],
    [`us-west-2a.pin._zones.${svc}`, 'A', 'NXDOMAIN'],
    ['us-west-2a.pin._zone.10-0-0-1.testns.pod.cluster.local', 'A', 'NXDOMAIN'],
  ])('%s %s is %s without records', async (name, type, rcode) => {
    expect(await server.answers(name, type)).toBe(rcode);
  });

  it('are unknown without the option', async () => {
    expect(await plain.answers(`us-west-2a.pin._zone.${svc}`)).toBe('NXDOMAIN');
    expect(await plain.answers(`us-west-2a.prefer._zone.${svc}`)).toBe('NXDOMAIN');
  });
});
