/** What a user does with ListenerSets; part of gateway.test.ts, whose door it shares. */
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderReady } from '../../src/cli/ready-table.ts';
import type { Gateway, HTTPRoute, ListenerSet } from '../../src/kube/types/index.ts';
import { certificateSecret } from '../support/certificates.ts';
import { apiOf, ask, conditionsOf, eventually, type TestDoor } from '../support/door.ts';
import { app, backendRef, gatewayVersion, httpRoute, type Manifest, namespace } from '../support/manifests.ts';

const team = 'sets-team';
const group = 'gateway.networking.k8s.io';

const listenerSet = (name: string, listeners: readonly Manifest[], own = 'default'): Manifest => ({
  apiVersion: gatewayVersion,
  kind: 'ListenerSet',
  metadata: { name, namespace: own },
  spec: { parentRef: { name: 'shared', namespace: 'default' }, listeners },
});

const http = (hostname: string, name = 'web'): Manifest => ({ name, port: 80, protocol: 'HTTP', hostname });
const https = (hostname: string, secret: string): Manifest => ({
  name: 'secure',
  port: 443,
  protocol: 'HTTPS',
  hostname,
  tls: { certificateRefs: [{ name: secret }] },
});

const routeTo = (set: string, service: string, own = 'default', more: Manifest = {}): Manifest =>
  httpRoute(`to-${set}`, { kind: 'ListenerSet', name: set, ...more }, [{ backendRefs: [backendRef(service)] }], {
    namespace: own,
  });

export const listenerSets: readonly Manifest[] = [
  namespace(team, { sets: 'yes' }),
  ...app('of-team', { namespace: team }),
  certificateSecret('set-one', ['one.sets.example']),
  certificateSecret('set-two', ['two.sets.example'], team),
  {
    apiVersion: gatewayVersion,
    kind: 'Gateway',
    metadata: { name: 'shared' },
    spec: {
      gatewayClassName: 'fairway',
      allowedListeners: { namespaces: { from: 'All' } },
      listeners: [http('own.sets.example')],
    },
  },
  httpRoute('to-shared', 'shared', [{ backendRefs: [backendRef('three')] }]),
  listenerSet('one', [http('one.sets.example'), https('one.sets.example', 'set-one')]),
  routeTo('one', 'one'),
  listenerSet('two', [http('two.sets.example'), https('two.sets.example', 'set-two')], team),
  routeTo('two', 'of-team', team, { sectionName: 'secure' }),
];

/** Name of the certificate that is shown to a server name. */
function certificateFor(address: string, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 443, servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Status of a request for one host on a connection for another. */
function statusOver(address: string, servername: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 443, servername, rejectUnauthorized: false }, () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.once('data', (chunk) => {
      resolve(Number(chunk.toString('latin1').slice(9, 12)));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

export function describeListenerSets(doorOf: () => TestDoor): void {
  describe('ListenerSets', () => {
    let address = '';
    let api: ReturnType<typeof apiOf>;
    const sets = (own = 'default') => `/apis/${group}/v1/namespaces/${own}/listenersets`;
    const routes = (own = 'default') => `/apis/${group}/v1/namespaces/${own}/httproutes`;
    const setOf = (name: string, own = 'default') =>
      doorOf().store.get<ListenerSet>(`listenersets.${group}`, `${own}/${name}`);
    const statusOf = (name: string, own?: string) => conditionsOf(setOf(name, own)?.status?.conditions);
    const sharedStatus = () => doorOf().store.get<Gateway>(`gateways.${group}`, 'default/shared')?.status;
    const answer = async (host: string, more: object = {}) => {
      const { status, echo } = await ask({ address, host: `${host}.sets.example`, ...more });
      return echo.pod ? echo.pod.replace(/-[^-]+-[^-]+$/, '') : status;
    };

    beforeAll(() => {
      address = doorOf().summary.gateways.find(({ name }) => name === 'shared')!.addresses[0]!;
      api = apiOf(doorOf());
    });

    it('serve their routes, each at its own listeners alone', async () => {
      expect(await answer('own')).toBe('three');
      expect(await answer('one')).toBe('one');
      expect(await answer('one', { tls: true })).toBe('one');
      expect(await answer('two', { tls: true })).toBe('of-team');
      expect(await answer('two')).toBe(404);
    });

    it('show certificates of their own, and leave each host to its own connections', async () => {
      expect(await certificateFor(address, 'one.sets.example')).toBe('one.sets.example');
      expect(await certificateFor(address, 'two.sets.example')).toBe('two.sets.example');
      expect(await statusOver(address, 'one.sets.example', 'two.sets.example')).toBe(421);
    });

    it('are told in the statuses of the set, of the Gateway and of the route', async () => {
      expect(statusOf('one')).toEqual(['Accepted=True(Accepted)', 'Programmed=True(Programmed)']);
      expect(setOf('two', team)?.status?.listeners?.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
        ['web', 0],
        ['secure', 1],
      ]);
      expect(sharedStatus()?.attachedListenerSets).toBe(2);
      const [parent] = doorOf().store.get<HTTPRoute>(`httproutes.${group}`, 'default/to-one')?.status?.parents ?? [];
      expect(parent?.parentRef).toMatchObject({ group, kind: 'ListenerSet', name: 'one' });
      expect(conditionsOf(parent?.conditions)).toContain('Accepted=True(Accepted)');
    });

    it('stand in the table below their Gateway, with the URLs of their routes', () => {
      const table = renderReady(doorOf().summary, doorOf().store, 1);
      expect(table).toMatch(/ListenerSet default\/one +80\/HTTP,443\/HTTPS/);
      const [set] = doorOf().summary.gateways.find(({ name }) => name === 'shared')!.listenerSets;
      expect(set).toMatchObject({ namespace: 'default', name: 'one', listeners: [{ name: 'web', port: 80 }, {}] });
    });

    it('answer as soon as they are said to be programmed', async () => {
      await api.create(routes(), routeTo('live', 'two'));
      await api.create(sets(), listenerSet('live', [http('live.sets.example'), { ...http('x.example', 'alt'), port: 8099 }])); // biome-ignore format: one line
      await eventually(
        () => statusOf('live'),
        (seen) => seen.includes('Programmed=True(Programmed)'),
      );
      expect(await answer('live')).toBe('two');
      expect((await ask({ address, port: 8099, host: 'x.example' })).status).toBe(200);
    });

    it('that came later wait for the name, and get it without a gap when the first goes', async () => {
      await api.create(sets(team), listenerSet('late', [http('live.sets.example')], team));
      await api.create(routes(team), routeTo('late', 'of-team', team));
      await eventually(
        () => conditionsOf(setOf('late', team)?.status?.listeners?.[0]?.conditions),
        (seen) => seen.includes('Conflicted=True(HostnameConflict)'),
      );
      expect(statusOf('late', team)).toEqual([
        'Accepted=False(ListenersNotValid)',
        'Programmed=False(ListenersNotValid)',
      ]);
      expect(await answer('live')).toBe('two');
      await api.remove(`${sets()}/live`);
      const seen = new Set<unknown>();
      await eventually(
        async () => {
          const now = await answer('live');
          seen.add(now);
          return now;
        },
        (now) => now === 'of-team',
      );
      expect([...seen]).toEqual(seen.has('two') ? ['two', 'of-team'] : ['of-team']);
      await eventually(
        () => statusOf('late', team),
        (now) => now.includes('Programmed=True(Programmed)'),
      );
    });

    it('are shut out when the Gateway admits them no more', async () => {
      const gateway = `/apis/${group}/v1/namespaces/default/gateways/shared`;
      await api.patch(gateway, { spec: { allowedListeners: { namespaces: { from: 'Same' } } } });
      await eventually(
        () => statusOf('two', team),
        (seen) => seen.includes('Accepted=False(NotAllowed)'),
      );
      expect(setOf('two', team)?.status?.listeners).toBeUndefined();
      expect(await answer('live')).toBe(404);
      expect(await answer('one')).toBe('one');
      await eventually(
        () => sharedStatus()?.attachedListenerSets,
        (count) => count === 1,
      );
    });
  });
}
