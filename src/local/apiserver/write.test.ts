import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Unstructured } from '../../kube/types/index.ts';
import { gatewayCrds, startCluster, type TestCluster } from './cluster.fixture.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startCluster({ crds: gatewayCrds().filter((crd) => crd.metadata.name.startsWith('gateways.')) });
});
afterEach(() => cluster.close());

interface Answer {
  status: number;
  headers: Headers;
  body: Unstructured & { message?: string; reason?: string; details?: { causes?: unknown[]; uid?: string } };
}

async function call(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> {
  const response = await fetch(cluster.url + path, {
    method,
    headers: { 'content-type': type, 'user-agent': 'tester/1.0' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const maps = '/api/v1/namespaces/default/configmaps';
const gateways = '/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways';

const deployment = (name = 'web', replicas = 1) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
const gateway = () => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'g' } as Record<string, unknown>,
  spec: { gatewayClassName: 'c', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] } as Record<string, unknown>,
});

describe('create', () => {
  it('answers 201 with the object, in the version of the path', async () => {
    const old = { ...gateway(), apiVersion: 'gateway.networking.k8s.io/v1beta1' };
    const created = await call('POST', gateways.replace('/v1/', '/v1beta1/'), old);
    expect(created).toMatchObject({ status: 201, body: { apiVersion: 'gateway.networking.k8s.io/v1beta1' } });
    expect((await call('GET', `${gateways}/g`)).body.apiVersion).toBe('gateway.networking.k8s.io/v1');
    expect(cluster.objects.store.get('gateways.gateway.networking.k8s.io', 'default/g')?.apiVersion).toBe(
      'gateway.networking.k8s.io/v1',
    );
  });

  it('drops a status that the client sends', async () => {
    await call('POST', deployments, { ...deployment(), status: { replicas: 7 } });
    expect((await call('GET', `${deployments}/web`)).body.status).toBeUndefined();
  });

  it('takes YAML, and makes names', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: cm-}\ndata: {a: "1"}\n';
    const created = await call('POST', maps, yaml, 'application/yaml');
    expect(created.status).toBe(201);
    expect(created.body.metadata.name).toMatch(/^cm-[a-z0-9]{5}$/);
  });

  it('reads YAML as kubectl does, and says where it cannot', async () => {
    const body = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: ${data}\n`;
    // An unquoted yes is a boolean, as in a manifest file.
    const taken = await call('POST', `${maps}?dryRun=All`, body('{a: yes}'), 'application/yaml');
    expect(taken).toMatchObject({ status: 201, body: { data: { a: true } } });
    const broken = await call('POST', maps, body('{a: "x"'), 'application/yaml');
    expect(broken).toMatchObject({ status: 400, body: { message: expect.stringMatching(/as YAML: line \d+: /) } });
    expect((await call('POST', maps, body('{a: "yes", b: "0777"}'), 'application/yaml')).status).toBe(201);
    const response = await fetch(`${cluster.url}${maps}/y`, { headers: { accept: 'application/yaml' } });
    expect(await response.text()).toMatch(/^ {2}a: 'yes'\n {2}b: '0777'\n/m);
  });

  it('records the writer in managedFields', async () => {
    const { body } = await call('POST', `${maps}?fieldManager=me`, { metadata: { name: 'a' }, data: { k: 'v' } });
    expect(body.metadata.managedFields).toMatchObject([
      { manager: 'me', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:data': { '.': {}, 'f:k': {} } } },
    ]);
    const other = await call('POST', maps, { metadata: { name: 'b' }, data: { k: 'v' } });
    expect(other.body.metadata.managedFields).toMatchObject([{ manager: 'tester' }]);
  });

  it('writes nothing with dryRun', async () => {
    expect((await call('POST', `${maps}?dryRun=All`, { metadata: { name: 'a' } })).status).toBe(201);
    expect((await call('GET', `${maps}/a`)).status).toBe(404);
  });

  it.each<[string, unknown, number, RegExp]>([
    ['no name', {}, 422, /metadata.name: Required value/],
    ['another namespace', { metadata: { name: 'a', namespace: 'other' } }, 400, /namespace of the provided object/],
    ['another kind', { kind: 'Secret', metadata: { name: 'a' } }, 400, /cannot be handled as a ConfigMap/],
    ['another version', { apiVersion: 'v2', metadata: { name: 'a' } }, 400, /does not match the expected API version/],
    ['a resourceVersion', { metadata: { name: 'a', resourceVersion: '1' } }, 400, /resourceVersion should not be set/],
    ['labels of numbers', { metadata: { name: 'a', labels: { x: 1 } } }, 400, /metadata.labels/],
    ['no object', [], 400, /must be an object/],
    ['no JSON', '{', 400, /couldn't parse/],
    ['deep nesting', `{"metadata":{"name":"a"},"data":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400, /nests too deep/],
  ])('refuses %s', async (_what, body, code, message) => {
    const refused = await call('POST', maps, body);
    expect(refused).toMatchObject({ status: code, body: { kind: 'Status', code } });
    expect(refused.body.message).toMatch(message);
  });

  it('refuses what exists', async () => {
    await call('POST', maps, { metadata: { name: 'a' } });
    expect(await call('POST', maps, { metadata: { name: 'a' } })).toMatchObject({
      status: 409,
      body: {
        reason: 'AlreadyExists',
        message: 'configmaps "a" already exists',
        details: { name: 'a', kind: 'configmaps' },
      },
    });
  });

  it('refuses unknown fields under Strict, and warns of them otherwise', async () => {
    const wrong = { ...deployment(), spec: { ...deployment().spec, replica: 3 } };
    const refused = await call('POST', `${deployments}?fieldValidation=Strict`, wrong);
    expect(refused.status).toBe(400);
    expect(refused.body.message).toMatch(/strict decoding error: unknown field "spec.replica"/);
    const warned = await call('POST', deployments, wrong);
    expect(warned.status).toBe(201);
    expect(warned.headers.get('warning')).toBe('299 - "unknown field \\"spec.replica\\""');
    const custom = gateway();
    custom.spec.listener = [];
    expect((await call('POST', `${gateways}?fieldValidation=Strict`, custom)).body.message).toMatch(/"spec.listener"/);
    expect((await call('POST', `${gateways}?fieldValidation=Ignore`, custom)).headers.get('warning')).toBeNull();
  });
});

describe('bodies', () => {
  it('are bounded', async () => {
    const limited = await startCluster({ limits: { bodyBytes: 1000 } });
    const response = await fetch(limited.url + maps, {
      method: 'POST',
      body: JSON.stringify({ a: 'x'.repeat(2000) }),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(413);
    await limited.close();
  });

  it('do not blow up from YAML aliases', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const refused = await call('POST', maps, lines.join('\n'), 'application/yaml');
    expect(refused.status).toBe(400);
    expect(refused.body.message).toMatch(/alias/i);
  });

  it('of unknown types are refused with the known ones', async () => {
    const refused = await call('POST', maps, '{}', 'text/plain');
    expect(refused.status).toBe(415);
    expect(refused.body.message).toMatch(/application\/json, application\/yaml/);
    const patch = await call('PATCH', `${gateways}/g`, '{}', 'application/strategic-merge-patch+json');
    expect(patch.status).toBe(415);
  });
});

describe('update', () => {
  it('detects conflicts', async () => {
    const { body: first } = await call('POST', deployments, deployment());
    const second = { ...first, spec: deployment('web', 2).spec };
    expect((await call('PUT', `${deployments}/web`, second)).status).toBe(200);
    expect(await call('PUT', `${deployments}/web`, { ...first, spec: deployment('web', 3).spec })).toMatchObject({
      status: 409,
      body: { reason: 'Conflict', details: { name: 'web', group: 'apps', kind: 'deployments' } },
    });
    expect((await call('PUT', `${deployments}/web`, deployment('web', 4))).body.metadata.generation).toBe(3);
  });

  it('of a custom resource needs the revision that it replaces', async () => {
    const { body } = await call('POST', gateways, gateway());
    expect(await call('PUT', `${gateways}/g`, gateway())).toMatchObject({ status: 422, body: { reason: 'Invalid' } });
    const seen = { ...gateway(), metadata: { name: 'g', resourceVersion: body.metadata.resourceVersion } };
    expect((await call('PUT', `${gateways}/g`, seen)).status).toBe(200);
  });

  it('of status touches nothing but status, and of the object nothing of status', async () => {
    await call('POST', deployments, deployment());
    const written = await call('PUT', `${deployments}/web/status`, {
      ...deployment('web', 9),
      status: { replicas: 1 },
    });
    expect(written.body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 }, metadata: { generation: 1 } });
    expect(written.body.metadata.managedFields).toContainEqual(expect.objectContaining({ subresource: 'status' }));
    const object = await call('PUT', `${deployments}/web`, { ...deployment('web', 2), status: { replicas: 99 } });
    expect(object.body).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 1 }, metadata: { generation: 2 } });
  });

  it('under another name is refused', async () => {
    await call('POST', deployments, deployment());
    expect((await call('PUT', `${deployments}/web`, deployment('other'))).body.message).toMatch(
      /does not match the name on the URL/,
    );
    expect((await call('PUT', `${deployments}/nobody`, deployment('nobody'))).status).toBe(404);
  });
});

describe('patch', () => {
  beforeEach(() => call('POST', deployments, deployment()));
  const patch = (body: unknown, type: string, query = '') =>
    call('PATCH', `${deployments}/web${query}`, body, `application/${type}`);

  it('takes each type', async () => {
    expect(
      (await patch([{ op: 'replace', path: '/spec/replicas', value: 2 }], 'json-patch+json')).body.spec,
    ).toMatchObject({ replicas: 2 });
    expect((await patch({ spec: { replicas: 3 } }, 'merge-patch+json')).body.spec).toMatchObject({ replicas: 3 });
    const containers = { spec: { template: { spec: { containers: [{ name: 'd', image: 'j' }] } } } };
    const merged = await patch(containers, 'strategic-merge-patch+json');
    expect(merged.body).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'd' }, { name: 'c' }] } } } });
  });

  it('refuses what does not apply', async () => {
    expect((await patch([{ op: 'remove', path: '/nothing' }], 'json-patch+json')).status).toBe(422);
    expect((await patch({}, 'json-patch+json')).status).toBe(400);
    expect((await patch({ metadata: { resourceVersion: '1' } }, 'merge-patch+json')).status).toBe(409);
    expect((await patch([{ op: 'replace', path: '', value: 1 }], 'json-patch+json')).status).toBe(422);
  });

  it('applies, with conflicts named', async () => {
    const config = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 5 } };
    expect((await patch(config, 'apply-patch+yaml')).body.message).toMatch(/fieldManager: Required value/);
    const refused = await patch(config, 'apply-patch+yaml', '?fieldManager=me');
    expect(refused).toMatchObject({
      status: 409,
      body: { reason: 'Conflict', details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] } },
    });
    const forced = await patch(config, 'apply-patch+yaml', '?fieldManager=me&force=true');
    expect(forced).toMatchObject({ status: 200, body: { spec: { replicas: 5 } } });
    const created = await call(
      'PATCH',
      `${maps}/new?fieldManager=me`,
      { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } },
      'application/apply-patch+yaml',
    );
    expect(created.status).toBe(201);
  });

  it('lets a second applier share a field that it sets alike', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } };
    for (const manager of ['one', 'two'])
      await call('PATCH', `${maps}/shared?fieldManager=${manager}`, config, 'application/apply-patch+yaml');
    const { body } = await call('GET', `${maps}/shared`);
    expect(body.metadata.managedFields).toMatchObject([{ manager: 'one' }, { manager: 'two' }]);
  });
});

describe('scale', () => {
  it('reads and writes replicas only', async () => {
    await call('POST', deployments, deployment());
    const { body } = await call('GET', `${deployments}/web/scale`);
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { selector: 'app=web' },
    });
    expect((await call('PUT', `${deployments}/web/scale`, { ...body, spec: { replicas: 4 } })).body.spec).toEqual({
      replicas: 4,
    });
    expect((await call('PUT', `${deployments}/web/scale`, { ...body, spec: { replicas: 5 } })).status).toBe(409);
    expect(
      (await call('PATCH', `${deployments}/web/scale`, { spec: { replicas: -1 } }, 'application/merge-patch+json'))
        .status,
    ).toBe(422);
    expect((await call('GET', `${deployments}/web`)).body.spec).toMatchObject({ replicas: 4 });
  });
});

describe('delete', () => {
  it('names what is gone, and keeps its preconditions', async () => {
    const { body } = await call('POST', maps, { metadata: { name: 'a' } });
    expect((await call('DELETE', `${maps}/a`, { preconditions: { uid: 'x' } })).status).toBe(409);
    expect((await call('DELETE', `${maps}/a?dryRun=All`)).status).toBe(200);
    const gone = await call('DELETE', `${maps}/a`, { propagationPolicy: 'Foreground' });
    expect(gone.body).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'a', kind: 'configmaps', uid: body.metadata.uid },
    });
    expect((await call('DELETE', `${maps}/a`)).status).toBe(404);
  });

  it('waits for finalizers', async () => {
    await call('POST', maps, { metadata: { name: 'a', finalizers: ['x/y'] } });
    expect((await call('DELETE', `${maps}/a`)).body.metadata.deletionTimestamp).toBeDefined();
    await call('PATCH', `${maps}/a`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
    expect((await call('GET', `${maps}/a`)).status).toBe(404);
  });

  it('gives a Pod that runs its time, and one that does not none', async () => {
    const pod = (name: string, nodeName?: string) => ({
      metadata: { name },
      spec: { containers: [{ name: 'c' }], terminationGracePeriodSeconds: 7, ...(nodeName && { nodeName }) },
    });
    const pods = '/api/v1/namespaces/default/pods';
    await call('POST', pods, pod('runs', 'node'));
    await call('POST', pods, pod('waits'));
    expect((await call('DELETE', `${pods}/runs`)).body.metadata.deletionGracePeriodSeconds).toBe(7);
    expect((await call('DELETE', `${pods}/waits`)).body.status).toBe('Success');
    expect((await call('DELETE', `${pods}/runs?gracePeriodSeconds=0`)).body.status).toBe('Success');
  });

  it('lets go of dependents under Orphan', async () => {
    const { body: owner } = await call('POST', maps, { metadata: { name: 'owner' } });
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid }];
    await call('POST', maps, { metadata: { name: 'child', ownerReferences } });
    await call('DELETE', `${maps}/owner?propagationPolicy=Orphan`);
    expect((await call('GET', `${maps}/child`)).body.metadata.ownerReferences).toBeUndefined();
  });

  it('of a collection takes selectors', async () => {
    for (const [name, app] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x'],
    ])
      await call('POST', maps, { metadata: { name, labels: { app } } });
    const gone = await call('DELETE', `${maps}?labelSelector=app%3Dx`);
    expect(gone.body).toMatchObject({
      kind: 'ConfigMapList',
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'c' } }],
    });
    expect((await call('GET', maps)).body).toMatchObject({ items: [{ metadata: { name: 'b' } }] });
  });

  it.each([
    { gracePeriodSeconds: -1 },
    { propagationPolicy: 'Sideways' },
    { dryRun: ['Some'] },
    { propagationPolicy: 'Orphan', orphanDependents: true },
  ])('refuses %j', async (options) => {
    await call('POST', maps, { metadata: { name: 'a' } });
    expect((await call('DELETE', `${maps}/a`, options)).status).toBe(422);
  });
});

describe('namespaces', () => {
  it('go when their last finalizer goes', async () => {
    await call('POST', '/api/v1/namespaces', { metadata: { name: 'n' }, spec: { finalizers: ['kubernetes'] } });
    expect((await call('DELETE', '/api/v1/namespaces/n')).body.status).toEqual({ phase: 'Terminating' });
    expect((await call('PUT', '/api/v1/namespaces/n/finalize', { metadata: { name: 'n' }, spec: {} })).status).toBe(
      200,
    );
    expect((await call('GET', '/api/v1/namespaces/n')).status).toBe(404);
  });
});

describe('the door', () => {
  const raw = (headers: Record<string, string>, path = '/version') =>
    new Promise<number>((resolve, reject) => {
      const sent = request(cluster.url + path, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      sent.on('error', reject);
      sent.end();
    });

  it('is closed to names that are not ours and to other origins', async () => {
    expect(await raw({ host: 'evil.example' })).toBe(403);
    expect(await raw({ origin: 'http://evil.example' })).toBe(403);
    expect(await raw({ host: 'localhost:8001' })).toBe(200);
    expect(await raw({ host: '[::1]:8001' })).toBe(200);
    expect(await raw({ host: 'kubernetes.default.svc.cluster.local' })).toBe(200);
  });

  it('survives paths of all kinds', async () => {
    for (const path of [
      '/%',
      '/%zz',
      '//',
      '/api//pods',
      '/apis/',
      '/apis/constructor/v1',
      '/__proto__',
      '/api/v1/namespaces/%2f/pods',
    ])
      expect([200, 400, 404]).toContain(await raw({}, path));
  });

  it('says what a Pod of this cluster cannot do', async () => {
    const answer = await call('POST', '/api/v1/namespaces/default/pods/p/exec?command=sh');
    expect(answer).toMatchObject({ status: 501, body: { reason: 'NotImplemented' } });
  });

  it('knows which method goes where', async () => {
    expect((await call('POST', '/api/v1/configmaps', {})).status).toBe(405);
    expect((await call('PUT', maps, {})).status).toBe(405);
    for (const path of ['/version', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/openapi/v2'])
      expect((await call('DELETE', path)).status).toBe(405);
    expect((await call('GET', `${maps}/a/status`)).status).toBe(404);
  });
});
