/** The scenarios of ingress-controller-conformance that a plan can answer; load balancing is the data plane's. */
import { describe, expect, it } from 'vitest';
import { compileListener } from '../match/matcher.ts';
import { fairwayClass, ingressYaml, reach, serviceYaml, translateYaml } from './test-helpers.ts';

describe('default backend', () => {
  const output = translateYaml(
    fairwayClass +
      serviceYaml('echo-service') +
      ingressYaml('default', [], '  defaultBackend: { service: { name: echo-service, port: { number: 80 } } }'),
  );

  it.each([
    ['GET', 'my-host', '/'],
    ['GET', 'my-host', '/sub-path'],
    ['POST', 'some-host', '/'],
    ['PUT', '', '/resource'],
    ['DELETE', 'some-host', '/resource'],
    ['PATCH', 'my-host', '/resource'],
  ])('%s %s%s', (method, host, path) => {
    const matcher = compileListener(output.listeners[0]!);
    const { route } = matcher.match({ host, path, query: '', method, headers: () => undefined });
    expect(route?.action).toMatchObject({ type: 'forward', backends: [{ backend: 'default/echo-service:80' }] });
  });
});

describe('host rules', () => {
  const tls = `  tls: [{ hosts: [shop.example.com], secretName: tls }]
---
apiVersion: v1
kind: Secret
metadata: { name: tls }
type: kubernetes.io/tls
data: { tls.crt: $(shop.crt+middle.crt), tls.key: $(shop.key) }`;
  const output = translateYaml(
    fairwayClass +
      serviceYaml('wildcard-foo-com', 8080) +
      serviceYaml('foo-bar-com') +
      ingressYaml(
        'hosts',
        [
          ['*.foo.com', 'Prefix', '/', 'wildcard-foo-com'],
          ['shop.example.com', 'Prefix', '/', 'foo-bar-com'],
        ],
        tls,
      ),
  );

  it.each([
    ['a host by its name', 'shop.example.com', 'foo-bar-com'],
    ['another host of the domain', 'subdomain.shop.example.com', 404],
    ['a wildcard for one label', 'bar.foo.com', 'wildcard-foo-com'],
    ['a wildcard for two labels', 'baz.bar.foo.com', 404],
    ['a wildcard for none', 'foo.com', 404],
  ])('%s', (_name, host, expected) => {
    expect(reach(output, host, '/')).toBe(expected);
    expect(reach(output, host, '/', 443)).toBe(expected);
  });

  it('a certificate for the host', () => {
    const listener = output.listeners.find(({ protocol }) => protocol === 'HTTPS');
    expect(listener).toMatchObject({ port: 443, tls: { certificates: [{ serverName: 'shop.example.com', certificate: 'default/tls' }] } }); // biome-ignore format: one line
    expect(output.certificates.map(({ id }) => id)).toEqual(['default/tls']);
    expect(output.diagnostics).toEqual([]);
  });
});

it('an Ingress of an unknown class gets no address', () => {
  const foreign = ingressYaml('other', [['', 'Prefix', '/', 'web']]).replace('fairway', 'some-invalid-class-name');
  const output = translateYaml(fairwayClass + serviceYaml('web') + foreign);
  expect(output).toMatchObject({ listeners: [{ port: 80, hosts: [] }], backends: [], statuses: [] });
});

describe('path rules', () => {
  const hosts: Record<string, readonly (readonly [type: string, path: string, service: string])[]> = {
    'exact-path-rules': [['Exact', '/foo', 'foo-exact']],
    'prefix-path-rules': [
      ['Prefix', '/foo', 'foo-prefix'],
      ['Prefix', '/aaa/bbb', 'aaa-slash-bbb-prefix'],
      ['Prefix', '/aaa', 'aaa-prefix'],
    ],
    'mixed-path-rules': [
      ['Prefix', '/foo', 'foo-prefix'],
      ['Exact', '/foo', 'foo-exact'],
    ],
    'trailing-slash-path-rules': [
      ['Prefix', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
      ['Exact', '/foo/', 'foo-slash-exact'],
    ],
  };
  const rules = Object.entries(hosts).flatMap(([host, paths]) => paths.map((path) => [host, ...path] as const));
  const services = [...new Set(rules.map((rule) => rule[3]))].map((name) => serviceYaml(name));
  const output = translateYaml(fairwayClass + services.join('') + ingressYaml('paths', rules));

  it.each([
    ['exact-path-rules', '/foo', 'foo-exact'],
    ['exact-path-rules', '/foo/', 404],
    ['exact-path-rules', '/FOO', 404],
    ['exact-path-rules', '/bar', 404],
    ['prefix-path-rules', '/foo', 'foo-prefix'],
    ['prefix-path-rules', '/foo/', 'foo-prefix'],
    ['prefix-path-rules', '/FOO', 404],
    ['prefix-path-rules', '/aaa/bbb', 'aaa-slash-bbb-prefix'],
    ['prefix-path-rules', '/aaa/bbb/ccc', 'aaa-slash-bbb-prefix'],
    ['prefix-path-rules', '/aaa/ccc', 'aaa-prefix'],
    ['prefix-path-rules', '/aaaccc', 404],
    ['mixed-path-rules', '/foo', 'foo-exact'],
    ['trailing-slash-path-rules', '/aaa/bbb', 'aaa-slash-bbb-slash-prefix'],
    ['trailing-slash-path-rules', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
    ['trailing-slash-path-rules', '/foo', 404],
  ])('%s%s: %s', (host, path, expected) => {
    expect(reach(output, host, path)).toBe(expected);
  });
});
