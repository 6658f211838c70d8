import { describe, expect, it } from 'vitest';
import type { TranslateOutput } from '../translate.ts';
import { nginxIngress, serviceBackend, services, translateNginx } from './testing.ts';

const host = 'a.example';
const all = services('main', 'canary', 'other');
const main = (paths: readonly (readonly [string, string])[] = [['Prefix', '/']], annotations = {}) =>
  nginxIngress(
    'main',
    paths.map(([type, path]) => [host, type, path, 'main'] as const),
    { age: 1, annotations },
  );
const canary = (
  annotations: Readonly<Record<string, string>>,
  { name = 'canary', age = 2, type = 'Prefix', path = '/', service = 'canary' } = {},
) => nginxIngress(name, [[host, type, path, service]], { age, annotations: { canary: 'true', ...annotations } });

const translate = (...objects: readonly object[]) => translateNginx([...all, ...objects]);
const routesOf = ({ listeners }: TranslateOutput) => listeners[0]!.hosts.find(({ hostname }) => hostname === host)?.routes; // biome-ignore format: one line
const actionOf = (output: TranslateOutput, at = 0) => routesOf(output)![at]!.action;
const codes = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);

describe('canaries', () => {
  it('by weight, of a hundred or of a larger total', () => {
    const shares = (annotations: Record<string, string>) => {
      const action = actionOf(translate(main(), canary(annotations)));
      return action.type === 'forward' ? action.backends.map(({ backend, weight }) => [backend, weight]) : [];
    };
    const of = (mine: number, theirs: number) => [['default/main:80', mine], ['default/canary:80', theirs]]; // biome-ignore format: one line
    expect(shares({ 'canary-weight': '30' })).toEqual(of(70, 30));
    expect(shares({ 'canary-weight': '1', 'canary-weight-total': '1000' })).toEqual(of(999, 1));
    expect(shares({ 'canary-weight': '7', 'canary-weight-total': '10' })).toEqual(of(93, 7));
    expect(shares({ 'canary-weight': '500' })).toEqual(of(0, 100));
    expect(shares({})).toEqual(of(100, 0));
  });

  it('by header and cookie, before the weight', () => {
    const rules = (annotations: Record<string, string>) => {
      const action = actionOf(translate(main(), canary(annotations)));
      return action.type === 'forward' ? action.canary : undefined;
    };
    expect(rules({ 'canary-weight': '10' })).toEqual({});
    expect(rules({ 'canary-by-header': 'X-Canary' })).toEqual({ header: { name: 'x-canary' } });
    expect(rules({ 'canary-by-header': 'X', 'canary-by-header-value': 'yes', 'canary-by-header-pattern': 'y.*' })).toEqual({ header: { name: 'x', text: 'yes' } }); // biome-ignore format: one line
    expect(rules({ 'canary-by-header': 'X', 'canary-by-header-pattern': '^y', 'canary-by-cookie': 'c' })).toEqual({ header: { name: 'x', pattern: '^y' }, cookie: 'c' }); // biome-ignore format: one line
    const broken = translate(main(), canary({ 'canary-by-header': 'X', 'canary-by-header-pattern': '(?=x)' }));
    expect(codes(broken)).toEqual(['FW5502']);
  });

  it('for the same host, path and path type', () => {
    const paths = [['Prefix', '/x'], ['Exact', '/x'], ['Prefix', '/y']] as const; // biome-ignore format: one line
    const output = translate(main(paths), canary({}, { type: 'ImplementationSpecific', path: '/x' }));
    const shares = routesOf(output)!.map(({ match, action }) => [
      `${match.path?.type} ${match.path?.value}`,
      action.type === 'forward' ? action.backends.length : action.type,
    ]);
    expect(shares).toEqual([
      ['exact /x', 1],
      ['prefix /y', 1],
      ['prefix /x', 2],
      ['prefix /', 'respond'],
    ]);
    expect(codes(output)).toEqual([]);
  });

  it('one for each path, of the oldest; the others hear of it', () => {
    const output = translate(main(), canary({}, { name: 'late', age: 3, service: 'other' }), canary({}));
    const action = actionOf(output);
    expect(action.type === 'forward' && action.backends[1]!.backend).toBe('default/canary:80');
    expect(output.diagnostics).toMatchObject([{ code: 'FW2017', object: { name: 'late' } }]);
  });

  it('without the path of another Ingress come to nothing, and claim neither path nor host', () => {
    const alone = translate(canary({}));
    expect([routesOf(alone), codes(alone)]).toEqual([undefined, ['FW2017']]);
    const elsewhere = translate(main([['Prefix', '/x']]), canary({}));
    expect(codes(elsewhere)).toEqual(['FW2017']);
    const same = translate(main(), canary({}, { service: 'main' }));
    expect(codes(same)).toEqual(['FW2017']);
  });

  it('change nothing else of the path', () => {
    const plain = translate(main());
    const output = translate(main(), canary({ 'rewrite-target': '/x', 'force-ssl-redirect': 'true', 'proxy-body-size': '1k' })); // biome-ignore format: one line
    expect(routesOf(output)![0]!.filters).toEqual(routesOf(plain)![0]!.filters);
    expect(routesOf(output)![0]!.match).toEqual(routesOf(plain)![0]!.match);
  });

  it('are balanced by their own annotations, and spoken to as the path is', () => {
    const output = translate(main([['Prefix', '/']], { 'backend-protocol': 'HTTPS', 'load-balance': 'ewma' }), canary({ 'upstream-hash-by': '$remote_addr', 'backend-protocol': 'GRPC' })); // biome-ignore format: one line
    const backends = output.backends.map(({ service, protocol, policy }) => [service, protocol, policy?.balance?.type]);
    expect(backends).toEqual([['canary', 'https', 'hash'], ['main', 'https', 'least-request']]); // biome-ignore format: one line
  });

  it('stay with a session, or do not', () => {
    const session = { affinity: 'cookie' };
    const sticky = translate(main([['Prefix', '/']], session), canary(session));
    expect(routesOf(sticky)![0]!.affinity).not.toHaveProperty('split');
    const legacy = translate(main([['Prefix', '/']], session), canary({ ...session, 'affinity-canary-behavior': 'legacy' })); // biome-ignore format: one line
    expect(routesOf(legacy)![0]!.affinity).toMatchObject({ split: 'weight' });
  });
});

it('a default backend has a canary by the path / of no host', () => {
  const everyone = nginxIngress('all', [], { age: 1, spec: { defaultBackend: serviceBackend('main') } });
  const part = nginxIngress('part', [], { age: 2, spec: { defaultBackend: serviceBackend('canary') }, annotations: { canary: 'true', 'canary-weight': '20' } }); // biome-ignore format: one line
  const { listeners } = translate(everyone, part);
  const action = listeners[0]!.hosts.find(({ hostname }) => hostname === '*')!.routes.at(-1)!.action;
  expect(action.type === 'forward' && action.backends.map(({ weight }) => weight)).toEqual([80, 20]);
});

it('a canary of Ingresses with one name in two namespaces has a backend for each of them', () => {
  const of = (namespace: string, name: string, protocol: string) =>
    nginxIngress('main', [[name, 'Prefix', '/', 'main']], { age: 1, namespace, annotations: { 'backend-protocol': protocol } }); // biome-ignore format: one line
  const both = nginxIngress('canary', [['a.example', 'Prefix', '/', 'canary'], ['b.example', 'Prefix', '/', 'canary']], { age: 2, annotations: { canary: 'true', 'canary-weight': '5' } }); // biome-ignore format: one line
  const { backends } = translate(of('default', 'a.example', 'HTTPS'), of('other', 'b.example', 'GRPC'), both);
  const canaries = backends.filter(({ service }) => service === 'canary');
  expect(canaries.map(({ protocol }) => protocol).sort()).toEqual(['h2c', 'https']);
});
