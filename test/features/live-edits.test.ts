/** Edits on disk and through the API are live at once, and never cost a request. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/kube/types/index.ts';
import { askDns } from '../support/dns.ts';
import { ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';

const app = (name: string, replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: example.com/x:1, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 8080}]}
`;

const ingress = (path: string, service: string) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: edited}
spec:
  ingressClassName: fairway
  rules:
    - host: edited.example.com
      http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}]}
`;

describe.skipIf(!canBind)('live edits', () => {
  let folder: string;
  let door: TestDoor;
  const get = (path: string) => ask({ address: door.config.ingressAddress, host: 'edited.example.com', path });
  const api = (path: string, init?: RequestInit) => fetch(`${door.summary.api}${path}`, init);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'live-'));
    writeFileSync(join(folder, 'apps.yaml'), `${app('one', 2)}---\n${app('two', 1)}`);
    writeFileSync(join(folder, 'ingress.yaml'), ingress('/a', 'one'));
    door = await openDoor(4, { paths: [folder], watch: true });
  });
  afterAll(async () => {
    await door.close(0);
    rmSync(folder, { recursive: true });
  });

  it('an edited file is live without a restart', async () => {
    expect((await get('/a')).echo.pod).toMatch(/^one-/);
    expect((await get('/b')).status).toBe(404);
    writeFileSync(join(folder, 'ingress.yaml'), ingress('/b', 'two'));
    const { echo } = await eventually(
      () => get('/b'),
      ({ status }) => status === 200,
    );
    expect(echo.pod).toMatch(/^two-/);
    expect((await get('/a')).status).toBe(404);
    expect(door.events).toContainEqual(expect.objectContaining({ event: 'changed', updated: 1 }));
  });

  it('a broken edit keeps what was there, and says so with its place', async () => {
    writeFileSync(join(folder, 'ingress.yaml'), `${ingress('/c', 'two')}  broken: [\n`);
    await eventually(
      () => door.events.filter(({ event }) => event === 'diagnostic'),
      (found) => found.length > 0,
    );
    expect(door.events).toContainEqual(
      expect.objectContaining({
        diagnostic: expect.objectContaining({
          code: 'FW1001',
          position: expect.objectContaining({ file: join(folder, 'ingress.yaml') }),
        }),
      }),
    );
    expect((await get('/b')).status).toBe(200);
    writeFileSync(join(folder, 'ingress.yaml'), ingress('/b', 'two'));
    await eventually(
      () => door.diagnostics(),
      (found) => !found.some(({ code }) => code === 'FW1001'),
    );
  });

  it('scaling through the API shows in endpoints and in DNS at once', async () => {
    const patch = {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ spec: { replicas: 4 } }),
    };
    expect((await api('/apis/apps/v1/namespaces/default/deployments/two/scale', patch)).status).toBe(200);
    const pods = await eventually(
      async () => {
        const seen = new Set<string>();
        for (let i = 0; i < 8; i++) seen.add((await get('/b')).echo.pod);
        return [...seen];
      },
      (seen) => seen.length === 4,
    );
    expect(pods).toHaveLength(4);
  });

  it('a deleted Pod is replaced, and no request is lost while Pods go', async () => {
    const before = door.store.list<Pod>('pods', 'default').filter(({ metadata }) => metadata.labels?.app === 'two');
    const answers = Array.from({ length: 100 }, async (_, i) => {
      await new Promise((resume) => setTimeout(resume, i * 3));
      return (await get('/b')).status;
    });
    for (const pod of before.slice(0, 2))
      await api(`/api/v1/namespaces/default/pods/${pod.metadata.name}`, { method: 'DELETE' });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
    await eventually(
      () =>
        door.store
          .list<Pod>('pods', 'default')
          .filter(({ metadata }) => metadata.labels?.app === 'two' && !metadata.deletionTimestamp),
      (pods) => pods.length === 4,
    );
  });

  it('the last Ingress may go: its door stays and answers 404', async () => {
    writeFileSync(join(folder, 'ingress.yaml'), '');
    await eventually(
      () => get('/b'),
      ({ status }) => status === 404,
    );
    writeFileSync(join(folder, 'ingress.yaml'), ingress('/b', 'two'));
    await eventually(
      () => get('/b'),
      ({ status }) => status === 200,
    );
  });

  it('a new Service has a name as soon as it exists', async () => {
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'fresh' },
      spec: { selector: { app: 'one' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const created = await api('/api/v1/namespaces/default/services', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(created.status).toBe(201);
    const { data } = await eventually(
      () => askDns(door.summary.dns[0]!, 'fresh.default.svc.cluster.local'),
      (reply) => reply.data('A').length > 0,
    );
    expect((await ask({ address: data('A')[0]!, port: 80 })).echo.pod).toMatch(/^one-/);
  });
});
