/** Names below a cluster domain, taken apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClusterName, type Grammar, nameBelow, parseClusterName } from './cluster-name.ts';

const parse = (name: string, grammar?: Grammar) => parseClusterName(name ? name.split('.') : [], grammar);
const webs = { kind: 'service', namespace: 'ns', service: 'webs' } as const;
const multicluster = { multicluster: true };
const zonal = { zonal: true };
const pin = (name: string) => ({ ...webs, zone: { name, orAll: false } });

describe('a name below the cluster domain', () => {
  it.each<[string, ClusterName, Grammar?]>([
    ['', { kind: 'structure' }],
    ['svc', { kind: 'structure' }],
    ['ns.svc', { kind: 'namespace', namespace: 'ns', of: 'svc' }],
    ['ns.pod', { kind: 'namespace', namespace: 'ns', of: 'pod' }],
    ['webs.ns.svc', webs],
    ['1-2-3-4.webs.ns.svc', { ...webs, endpoint: '1-2-3-4' }],
    ['_http._tcp.webs.ns.svc', { ...webs, port: 'http', protocol: 'tcp' }],
    ['http.tcp.webs.ns.svc', { ...webs, port: 'http', protocol: 'tcp' }],
    ['ep.c1.webs.ns.svc', { ...webs, endpoint: 'ep', cluster: 'c1' }, multicluster],
    ['_http._tcp.webs.ns.svc', { ...webs, port: 'http', protocol: 'tcp' }, multicluster],
    ['_http.tcp.webs.ns.svc', { ...webs, port: 'http', protocol: 'tcp' }, multicluster],
    ['us-west-2a.pin._zone.webs.ns.svc', pin('us-west-2a'), zonal],
    ['corp.example.com.pin._zone.webs.ns.svc', pin('corp.example.com'), zonal],
    ['us-west-2a.prefer._zone.webs.ns.svc', { ...webs, zone: { name: 'us-west-2a', orAll: true } }, zonal],
    ['us-west-2a._zone.webs.ns.svc', { ...webs, port: 'us-west-2a', protocol: 'zone' }, zonal],
    ['us-west-2a.pin._zone.webs.ns.svc', { kind: 'unknown' }],
    ['us-west-2a.pin._zone.webs.ns.svc', { kind: 'unknown' }, { ...zonal, ...multicluster }],
    ['us-west-2a.pin._zone.webs.ns.pod', { kind: 'unknown' }, zonal],
    ['us-west-2a.florp._zone.webs.ns.svc', { kind: 'unknown' }, zonal],
    ['a.b.c.webs.ns.svc', { kind: 'unknown' }],
    ['webs.ns.pood', { kind: 'unknown' }],
  ])('%s', (name, expected, grammar) => {
    expect(parse(name, grammar)).toEqual(expected);
  });

  it('is what it was put together from, whatever the labels', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
    fc.assert(
      fc.property(label, label, label, label, (a, b, service, namespace) => {
        const base = `${service}.${namespace}.svc`;
        const expected = { kind: 'service', service, namespace };
        expect(parse(`_${a}._${b}.${base}`)).toEqual({ ...expected, port: a, protocol: b });
        expect(parse(`${a}.${b}.${base}`, multicluster)).toEqual({ ...expected, endpoint: a, cluster: b });
        expect(parse(`${a}.${b}.pin._zone.${base}`, zonal)).toMatchObject({ zone: { name: `${a}.${b}` } });
      }),
    );
  });

  it('never fails on labels of any bytes', () => {
    const labels = fc.array(fc.oneof(fc.constantFrom('svc', 'pod', '_zone', 'pin', '_', ''), fc.string()));
    fc.assert(
      fc.property(labels, fc.record({ multicluster: fc.boolean(), zonal: fc.boolean() }), (all, grammar) => {
        expect(parseClusterName(all, grammar).kind).toMatch(/^[a-z]+$/);
      }),
    );
  });
});

describe('a name below a zone', () => {
  it.each([
    ['a.b', 'cluster.local.', 'a.b.cluster.local.'],
    ['a.b', '.', 'a.b.'],
  ])('%s below %s', (labels, zone, expected) => {
    expect(nameBelow(labels, zone)).toBe(expected);
  });
});
