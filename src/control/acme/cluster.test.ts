/** Several replicas of `fairway gateway` and one API: one has certificates issued, all answer challenges. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canBind, eventually } from '../../../test/support/door.ts';
import { openReplica, type Replica } from '../../../test/support/replica.ts';
import { createKubeClient } from '../../kube/client/client.ts';
import { plainConfig } from '../../kube/client/config.ts';
import { createResourceRegistry } from '../../kube/resources.ts';
import type { ConfigMap, Secret } from '../../kube/types/index.ts';
import { createApiServer } from '../../local/apiserver/server.ts';
import { createLocalObjects } from '../../local/local-objects.ts';
import { clusterAcmeObjects, WriteConflict } from './objects.ts';
import { ingressFor, pebbleIssuer } from './testing/estate.ts';
import { type Pebble, startPebble, whyNoPebble } from './testing/pebble.ts';

const missing = whyNoPebble() ?? (canBind ? undefined : 'ports 80 and 443 of loopback addresses need Linux and root');
if (missing) console.log(`replicas and acme: skipped, ${missing}`);

const [ca, first, second] = ['127.84.6.1', '127.84.6.2', '127.84.6.3'];
const place = { namespace: 'fairway', name: 'fairway-issuers' };

function openApi() {
  const objects = createLocalObjects();
  const api = createApiServer({ objects, podLogs: () => undefined as never });
  const create = (object: object) => {
    const written = objects.create(object as ConfigMap);
    if (!written.ok) throw new Error(written.error.message);
    return written.value.object;
  };
  return { objects, api, create };
}

describe('objects behind an API', () => {
  const { objects, api, create } = openApi();
  let url = '';
  beforeAll(async () => {
    ({ url } = await api.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterAll(() => api.close());

  it('are read, written by their version, and removed', async () => {
    create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fairway' } });
    const client = createKubeClient({ config: plainConfig(url) });
    const remote = clusterAcmeObjects(client, createResourceRegistry());
    const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'fairway' } };
    expect(await remote.read('secrets', 'fairway', 'a')).toBeUndefined();
    const written = await remote.write('secrets', { ...secret, data: { a: 'YQ==' } });
    expect(await remote.read('secrets', 'fairway', 'a')).toMatchObject({ data: { a: 'YQ==' } });
    await remote.write('secrets', { ...written, data: { a: 'Yg==' } });
    await expect(remote.write('secrets', { ...written, data: {} })).rejects.toThrow(WriteConflict);
    await expect(remote.write('secrets', secret)).rejects.toThrow(WriteConflict);
    await remote.remove('secrets', 'fairway', 'a');
    await remote.remove('secrets', 'fairway', 'a');
    expect(objects.store.get('secrets', 'fairway/a')).toBeUndefined();
    // The kind is not served here.
    expect(await remote.foreignCertificate('fairway', 'a')).toBeUndefined();
    client.close();
    await expect(remote.read('secrets', 'fairway', 'a')).rejects.toThrow('closed');
  });
});

describe.skipIf(missing)('two replicas', () => {
  const { objects, api, create } = openApi();
  const replicas: Replica[] = [];
  let pebble: Pebble;
  let url = '';

  beforeAll(async () => {
    ({ url } = await api.listen({ host: '127.0.0.1', port: 0 }));
    // All names lead to the second replica, which does not lead.
    pebble = await startPebble({ address: ca, target: second, httpPort: 80, tlsPort: 443 });
  });
  afterAll(async () => {
    for (const each of replicas) await each.stop();
    await api.close();
    await pebble?.stop();
  });

  const open = async (listen: string) => {
    const replica = await openReplica(url, listen, { acme: place });
    replicas.push(replica);
    await eventually(() => replica.role.isReady(), Boolean, 10_000);
    return replica;
  };
  const certificate = () => objects.store.get<Secret>('secrets', 'shop/web-tls')?.data?.['tls.crt'];

  it('have one that leads, and both answer', async () => {
    for (const name of ['fairway', 'shop']) create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const leader = await open(first);
    await eventually(() => leader.role.isLeader(), Boolean, 10_000);
    const other = await open(second);
    create({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: place, data: { 'issuers.yaml': pebbleIssuer(pebble) } },
    });
    const annotations = { 'cert-manager.io/cluster-issuer': 'test' };
    const ingress = ingressFor({ hosts: ['a.example.com'], annotations }) as { spec: object };
    create({ ...ingress, spec: { ...ingress.spec, ingressClassName: 'fairway' } });
    await eventually(certificate, Boolean, 15_000);
    // Nobody is told that the Secret is missing while it is on its way.
    expect([...leader.findings, ...other.findings].map(({ code }) => code)).not.toContain('FW6001');
    await eventually(
      () => leader.logs.join(),
      (text) => text.includes('shop/web-tls: issued by test for a.example.com'),
    );
    expect(other.role.isLeader()).toBe(false);
    expect(other.logs.join()).not.toContain('issued');
  });

  it('go on when the leader is gone', async () => {
    const [leader, other] = replicas;
    await leader!.stop();
    await eventually(() => other!.role.isLeader(), Boolean, 10_000);
    const before = certificate();
    objects.delete('secrets', 'shop/web-tls');
    await eventually(certificate, (now) => now !== undefined && now !== before, 15_000);
    await eventually(
      () => other!.logs.join(),
      (text) => text.includes('shop/web-tls: issued by test'),
    );
    const accounts = objects.store
      .list<Secret>('secrets', 'fairway')
      .filter(({ type }) => type === 'fairway.dev/acme-account');
    expect(accounts).toHaveLength(1);
  });
});
