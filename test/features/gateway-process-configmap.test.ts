/** `fairway gateway` where the API does not show the ConfigMap of ingress-nginx: what may stand there keeps requests out. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { httpAnswer, statusBody } from '../support/fault-proxy.ts';
import { app, ingress, path, stream } from '../support/manifests.ts';
import { openReplica, type Replica } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const address = '127.77.93.1';
const host = 'shop.example.com';
const alone = { election: undefined } as object;

describe.skipIf(!canBind)('a ConfigMap of ingress-nginx that the API does not show', () => {
  let door: TestDoor;
  let replica: Replica;

  beforeAll(async () => {
    door = await openDoor(-9, {
      gateway: false,
      paths: ['-'],
      stdin: stream(
        ...app('web'),
        {
          ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'nginx' } },
          spec: { controller: 'k8s.io/ingress-nginx' },
        },
        ingress('shop', { [host]: [path('/', 'Prefix', 'web')] }, { ingressClassName: 'nginx' }),
      ),
    });
    await apiOf(door).create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ingress-nginx' } }); // biome-ignore format: one line
    await apiOf(door).create('/api/v1/namespaces/ingress-nginx/configmaps', {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ingress-nginx-controller' } },
      data: { 'denylist-source-range': '127.0.0.1/32' },
    });
  });
  afterEach(() => replica?.stop());
  afterAll(() => door?.close());

  const codes = () => replica.role.diagnostics().map(({ code }) => code);
  const status = async (from: string) => (await ask({ address, host, from })).status;

  it('shuts all locations, says so, and opens them when it is shown', async () => {
    replica = await openReplica(door.summary.api, address, alone);
    replica.api.faults = {
      answer: (line) =>
        line.includes('/namespaces/ingress-nginx/configmaps')
          ? httpAnswer(403, statusBody(403, 'Forbidden'))
          : undefined,
    };
    await eventually(() => replica.role.isReady(), Boolean, 10_000);
    expect(await status('127.0.0.2')).toBe(503);
    expect(codes()).toContain('FW5517');
    replica.api.faults = {};
    await eventually(
      () => status('127.0.0.2'),
      (now) => now === 200,
      10_000,
    );
    expect(await status('127.0.0.1')).toBe(403);
    expect(codes()).not.toContain('FW5517');
  });

  it('shuts them too where it was named, and goes', async () => {
    replica = await openReplica(door.summary.api, address, {
      ...alone,
      ingressNginx: { configMap: 'ingress-nginx/ingress-nginx-controller' },
    });
    await eventually(() => replica.role.isReady(), Boolean, 10_000);
    expect([await status('127.0.0.2'), await status('127.0.0.1')]).toEqual([200, 403]);
    await apiOf(door).remove('/api/v1/namespaces/ingress-nginx/configmaps/ingress-nginx-controller');
    // Named and gone: it may have been what kept requests out.
    await eventually(
      () => status('127.0.0.2'),
      (now) => now === 503,
      10_000,
    );
    expect(codes()).toContain('FW5517');
  });
});
