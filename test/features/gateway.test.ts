/** What a user does with Gateways and HTTPRoutes: matches, weights, filters, listeners, grants, timeouts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway, HTTPRoute } from '../../src/kube/types/index.ts';
import { certificateSecret } from '../support/certificates.ts';
import { type Ask, apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, httpRoute, namespace, stream } from '../support/manifests.ts';
import { describeListenerSets, listenerSets } from './gateway.listener-sets.ts';
import {
  adopted,
  certificates,
  filters,
  listeners,
  matches,
  namespaces,
  timeouts,
  to,
  weights,
} from './gateway.manifests.ts';

const apiPath = '/apis/gateway.networking.k8s.io/v1';

describe.skipIf(!canBind)('Gateway API', () => {
  let door: TestDoor;
  const addressOf = (name: string) => door.summary.gateways.find((each) => each.name === name)!.addresses[0]!;
  const send = (gatewayName: string, options: Omit<Ask, 'address'>) =>
    ask({ address: addressOf(gatewayName), ...options });
  const deployment = async (gatewayName: string, options: Omit<Ask, 'address'>) => {
    const { status, echo } = await send(gatewayName, options);
    return echo.pod ? echo.pod.replace(/-[^-]+-[^-]+$/, '') : status;
  };
  const routeStatus = (key: string) =>
    conditionsOf(
      door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', key)?.status?.parents[0]?.conditions,
    );
  const storedGateway = (name: string) =>
    door.store.get<Gateway>('gateways.gateway.networking.k8s.io', `default/${name}`)!;

  beforeAll(async () => {
    door = await openDoor(13, {
      paths: ['-'],
      stdin: stream(
        namespace('team-a', { team: 'a' }),
        namespace('team-b', { team: 'b' }),
        ...['one', 'two', 'three'].flatMap((name) => app(name)),
        ...app('other', { namespace: 'team-b' }),
        certificateSecret('secure', ['secure.example.com']),
        ...matches,
        ...weights,
        ...filters,
        ...listeners,
        ...namespaces,
        ...timeouts,
        ...certificates,
        ...adopted,
        ...listenerSets,
        certificateSecret('far', ['far.example.com'], 'team-b'),
      ),
    });
  });
  afterAll(() => door.close(0));

  describeListenerSets(() => door);

  it('starts with findings for what is refused, and no others', () => {
    const found = door.summary.diagnostics.filter(({ severity }) => severity !== 'info');
    const expected = [
      ['FW3402', 'across'],
      ['FW3401', 'weights'],
      ['FW6003', 'certificates'],
      ['FW3105', 'certificates'],
      ['FW3203', 'uninvited'],
    ];
    expect(found.map(({ code, object }) => `${code} ${object?.name}`).sort()).toEqual(
      expected.map((each) => each.join(' ')).sort(),
    );
  });

  it.each<[string, Omit<Ask, 'address'>, string | number]>([
    ['an exact path goes before a longer prefix', { path: '/m/exact' }, 'one'],
    ['a longer prefix goes before a shorter', { path: '/m/exact/more' }, 'two'],
    ['a prefix ends at a slash', { path: '/mm' }, 404],
    ['a method goes before headers', { path: '/m', method: 'POST', headers: { 'x-a': '1', 'x-b': '2' } }, 'three'],
    ['more headers go before fewer', { path: '/m', headers: { 'x-a': '1', 'x-b': '2' } }, 'two'],
    ['one header goes before query parameters', { path: '/m?q=1&r=2', headers: { 'X-A': '1' } }, 'one'],
    ['query parameters go before none', { path: '/m?r=2&q=1' }, 'three'],
    ['a header of another value is no match', { path: '/m', headers: { 'x-a': '10' } }, 'two'],
    ['a query parameter of another case is no match', { path: '/m?Q=1&r=2' }, 'two'],
    ['a header may match a pattern', { path: '/pattern', headers: { 'x-version': 'v12' } }, 'one'],
    ['a pattern matches all of a header', { path: '/pattern', headers: { 'x-version': 'xv12y' } }, 404],
  ])('%s', async (_name, options, expected) => {
    expect(await deployment('matches', { host: 'match.example.com', ...options })).toBe(expected);
  });

  it('splits by weight exactly over a thousand requests', async () => {
    const counts = new Map<string | number, number>();
    for (let batch = 0; batch < 20; batch++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => deployment('matches', { host: 'w.example.com' }))); // biome-ignore format: one line
      for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ one: 700, two: 200, 500: 100 });
  });

  it.each<[string, string, number, string]>([
    ['to HTTPS, the default port left out', '/to-https/x?q=1', 302, 'https://r.example.com/to-https/x?q=1'],
    ['to another host and port', '/to-host', 301, 'http://other.example.com:8080/to-host'],
    ['with the prefix replaced', '/old/a/b?q=1', 301, 'http://r.example.com/new/a/b?q=1'],
    ['with the whole path replaced', '/anything/else', 308, 'http://r.example.com/there'],
  ])('redirects %s', async (_name, path, status, location) => {
    const answer = await send('matches', { host: 'r.example.com', path });
    expect([answer.status, answer.headers.location]).toEqual([status, location]);
  });

  it('rewrites host and prefix, or the whole path', async () => {
    const prefixed = await send('matches', { host: 'rw.example.com', path: '/in/a?q=1' });
    expect([prefixed.echo.path, prefixed.echo.host]).toEqual(['/out/a?q=1', 'inside.example.net']);
    expect((await send('matches', { host: 'rw.example.com', path: '/in' })).echo.path).toBe('/out');
    const full = await send('matches', { host: 'rw.example.com', path: '/full/a/b?q=1' });
    expect([full.echo.path, full.echo.host]).toEqual(['/fixed?q=1', 'rw.example.com']);
  });

  it('sets, adds and removes headers of requests and of answers', async () => {
    const headers = {
      'x-set': 'mine',
      'x-add': 'mine',
      'x-remove': 'mine',
      'x-echo-set-header': 'x-back-set:pod,x-back-add:pod,x-back-remove:pod',
    };
    const answer = await send('matches', { host: 'h.example.com', headers });
    expect(answer.echo.headers['X-Set']).toEqual(['filter']);
    expect(answer.echo.headers['X-Add']?.join()).toBe('mine,filter');
    expect(answer.echo.headers['X-Remove']).toBeUndefined();
    expect(answer.headers['x-back-set']).toBe('filter');
    expect(answer.headers['x-back-add']).toMatch(/^pod, ?filter$/);
    expect(answer.headers['x-back-remove']).toBeUndefined();
  });

  it.each([
    ['bar.foo.example.com', '/exact', 'one'],
    ['bar.foo.example.com', '/wild', 404],
    ['baz.foo.example.com', '/wild', 'two'],
    ['a.b.foo.example.com', '/wild', 'two'],
    ['baz.foo.example.com', '/any', 404],
    ['elsewhere.org', '/any', 'three'],
    ['elsewhere.org', '/wild', 404],
  ])('keeps listeners apart: %s%s reaches %s', async (host, path, expected) => {
    expect(await deployment('isolated', { host, path })).toBe(expected);
  });

  it('serves HTTPS with the certificate of the listener, on the same Gateway address', async () => {
    const { echo } = await send('isolated', { host: 'secure.example.com', tls: true });
    expect(echo.headers['X-Forwarded-Proto']).toEqual(['https']);
    await expect(send('isolated', { host: 'unknown.example.com', tls: true })).rejects.toThrow();
  });

  it('gives each Gateway an address of its own, and tells what is attached', () => {
    const names = ['matches', 'isolated', 'selective'];
    expect(new Set(names.map(addressOf)).size).toBe(3);
    for (const name of names) {
      const { status } = storedGateway(name);
      expect(conditionsOf(status?.conditions)).toEqual(
        expect.arrayContaining(['Accepted=True(Accepted)', 'Programmed=True(Programmed)']),
      );
      expect(status?.addresses).toEqual([{ type: 'IPAddress', value: addressOf(name) }]);
    }
    const attached = storedGateway('isolated').status?.listeners?.map((each) => [each.name, each.attachedRoutes]);
    expect(attached).toEqual([
      ['exact', 1],
      ['wild', 1],
      ['any', 1],
      ['https', 1],
    ]);
  });

  it('lets in routes of the namespaces that its selector takes, also when a label changes', async () => {
    expect(await deployment('selective', { host: 'invited.example.com' })).toBe('one');
    expect(await deployment('selective', { host: 'uninvited.example.com' })).toBe(404);
    expect(routeStatus('team-b/uninvited')).toContain('Accepted=False(NotAllowedByListeners)');
    await apiOf(door).patch('/api/v1/namespaces/team-b', { metadata: { labels: { team: 'a' } } });
    await eventually(
      () => deployment('selective', { host: 'uninvited.example.com' }),
      (seen) => seen === 'other',
    );
    expect(routeStatus('team-b/uninvited')).toContain('Accepted=True(Accepted)');
  });

  it('sends to a Service of another namespace only once a ReferenceGrant permits it', async () => {
    const shares = async () => {
      const seen = [];
      for (let i = 0; i < 4; i++) seen.push(await deployment('matches', { host: 'across.example.com' }));
      return seen.sort();
    };
    expect(await shares()).toEqual([500, 500, 'one', 'one']);
    expect(routeStatus('default/across')).toEqual(['Accepted=True(Accepted)', 'ResolvedRefs=False(RefNotPermitted)']);
    await apiOf(door).create('/apis/gateway.networking.k8s.io/v1beta1/namespaces/team-b/referencegrants', {
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'from-default' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
        to: [{ group: '', kind: 'Service' }],
      },
    });
    await eventually(shares, (seen) => seen.join() === 'one,one,other,other');
    expect(routeStatus('default/across')).toEqual(['Accepted=True(Accepted)', 'ResolvedRefs=True(ResolvedRefs)']);
    await apiOf(door).remove('/apis/gateway.networking.k8s.io/v1beta1/namespaces/team-b/referencegrants/from-default');
    await eventually(shares, (seen) => seen.join() === '500,500,one,one');
  });

  it('answers 504 when a rule has waited long enough, and not before', async () => {
    const start = performance.now();
    expect((await send('matches', { host: 't.example.com', path: '/short?delay=3s' })).status).toBe(504);
    expect(performance.now() - start).toBeGreaterThan(180);
    expect(performance.now() - start).toBeLessThan(1500);
    expect((await send('matches', { host: 't.example.com', path: '/short?delay=20ms' })).status).toBe(200);
    expect((await send('matches', { host: 't.example.com', path: '/backend?delay=3s' })).status).toBe(504);
    expect((await send('matches', { host: 't.example.com', path: '/long?delay=400ms' })).status).toBe(200);
  });

  it('speaks HTTP/2 to Pods of appProtocol kubernetes.io/h2c, and refuses what HTTP cannot be sent over', async () => {
    const speaks = (appProtocol: string) => [{ name: 'http', port: 80, targetPort: 'web', appProtocol }];
    const api = apiOf(door);
    const [, service] = app('one', { service: { ports: speaks('mysql') } });
    await api.create('/api/v1/namespaces/default/services', { ...service, metadata: { name: 'speaks-h2c' } });
    const route = httpRoute('h2c', 'matches', [to('speaks-h2c')], { hostnames: ['h2c.example.com'] });
    await api.create(`${apiPath}/namespaces/default/httproutes`, route);
    await eventually(
      () => deployment('matches', { host: 'h2c.example.com' }),
      (seen) => seen === 500,
    );
    expect(routeStatus('default/h2c')).toContain('ResolvedRefs=False(UnsupportedProtocol)');
    const told = door.diagnostics().filter(({ code }) => code === 'FW3404');
    expect(told).toMatchObject([{ message: expect.stringContaining('HTTP cannot be sent over') }]);
    await api.patch('/api/v1/namespaces/default/services/speaks-h2c', {
      spec: { ports: speaks('kubernetes.io/h2c') },
    });
    await eventually(
      () => deployment('matches', { host: 'h2c.example.com' }),
      (seen) => seen === 'one',
    );
    expect(routeStatus('default/h2c')).toContain('ResolvedRefs=True(ResolvedRefs)');
  });

  it('a certificate that is none, or out of reach, closes its own listener only', async () => {
    const over = (name: string) => deployment('certificates', { host: `${name}.example.com`, tls: true });
    expect(await over('secure')).toBe('one');
    await expect(over('bad')).rejects.toThrow();
    await expect(over('far')).rejects.toThrow();
    const programmed = () =>
      Object.fromEntries(
        (storedGateway('certificates').status?.listeners ?? []).map(({ name, conditions }) => [
          name,
          conditionsOf(conditions).filter((each) => /^(Programmed|ResolvedRefs)/.test(each)),
        ]),
      );
    expect(programmed()).toEqual({
      secure: ['Programmed=True(Programmed)', 'ResolvedRefs=True(ResolvedRefs)'],
      bad: ['Programmed=False(Invalid)', 'ResolvedRefs=False(InvalidCertificateRef)'],
      far: ['Programmed=False(Invalid)', 'ResolvedRefs=False(RefNotPermitted)'],
    });
    await apiOf(door).create('/apis/gateway.networking.k8s.io/v1beta1/namespaces/team-b/referencegrants', {
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'certificates' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'default' }],
        to: [{ group: '', kind: 'Secret', name: 'far' }],
      },
    });
    await eventually(
      () => over('far').catch((error: Error) => error.message),
      (seen) => seen === 'one',
    );
    expect(programmed()['far']).toEqual(['Programmed=True(Programmed)', 'ResolvedRefs=True(ResolvedRefs)']);
  });

  it('adopts Gateways of other controllers and of classes that nobody defined, each with one line', async () => {
    expect(await deployment('class-istio', { port: 8080 })).toBe('one');
    expect(await deployment('class-nobody', { port: 8080 })).toBe('two');
    const told = door.summary.diagnostics.filter(({ code }) => code === 'FW3001').map(({ message }) => message);
    expect(told).toEqual([expect.stringContaining('istio'), expect.stringContaining('nobody')]);
  });
});
