/** What a user does with the annotations of docs/backends.md: its example as it stands there, and edits of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import type { Pod } from '../../src/kube/types/index.ts';
import { annotationPrefix, policyAnnotations } from '../../src/routing/backend-policy/annotations.ts';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, ingress, type Manifest, path, stream } from '../support/manifests.ts';

const page = readFileSync(join(packageRoot, 'docs/backends.md'), 'utf8');
const example = loadAll(/```yaml\n(.*?)```/s.exec(page)![1]!) as Manifest[];
const [deployment] = app('web', { replicas: 3 }) as [Manifest];

describe('docs/backends.md', () => {
  it('lists the annotations', () => {
    const rows = [...page.matchAll(/^\| `fairway\.dev\/([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(Object.keys(policyAnnotations));
  });
});

describe.skipIf(!canBind)('the endpoints of a Service', () => {
  let door: TestDoor;
  const service = '/api/v1/namespaces/default/services/web';
  const annotate = (path: string, annotations: Record<string, string | null>) =>
    apiOf(door).patch(path, {
      metadata: {
        annotations: Object.fromEntries(
          Object.entries(annotations).map(([key, value]) => [annotationPrefix + key, value]),
        ),
      },
    });
  const podOf = async (headers: Record<string, string> = {}) =>
    (await ask({ address: door.config.ingressAddress, host: 'a.example', headers })).echo.pod;
  const pods = async (count: number, headers?: Record<string, string>) => {
    const all: string[] = [];
    for (let i = 0; i < count; i++) all.push(await podOf(headers));
    return all;
  };

  beforeAll(async () => {
    const paths = ingress('web', { 'a.example': [path('/', 'Prefix', 'web')] });
    door = await openDoor(33, { paths: ['-'], stdin: stream(deployment, ...example, paths) });
  });
  afterAll(() => door?.close());

  it('are chosen as the example of the page says: the same cookie, the same Pod', async () => {
    expect(door.diagnostics().filter(({ code }) => code.startsWith('FW53'))).toEqual([]);
    const chosen = new Set<string>();
    for (let user = 0; user < 12; user++) {
      const seen = new Set(await pods(3, { cookie: `sid=${user}` }));
      expect(seen.size).toBe(1);
      for (const pod of seen) chosen.add(pod);
    }
    expect(chosen.size).toBe(3);
    // Without the cookie, by address, which is the same for all of these.
    expect(new Set(await pods(6)).size).toBe(1);
  });

  it('follow an edit of the annotations while it serves', async () => {
    // Without ejection too, so that health checks alone decide below.
    await annotate(service, { balance: null, 'hash-by': null, 'outlier-ejection': null });
    await eventually(
      () => pods(6),
      (seen) => new Set(seen).size === 3,
    );
  });

  it('are left alone when their health check fails, and used again when it does not', async () => {
    const [sick] = door.store.list<Pod>('pods').map(({ metadata }) => metadata.name);
    const pod = `/api/v1/namespaces/default/pods/${sick}`;
    await annotate(pod, { 'echo-status': '503' });
    await eventually(
      () => pods(9),
      (seen) => !seen.includes(sick!),
      15_000,
    );
    const statuses = await Promise.all(
      Array.from({ length: 9 }, () => ask({ address: door.config.ingressAddress, host: 'a.example' })),
    );
    expect(statuses.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 200));
    await annotate(pod, { 'echo-status': null });
    await eventually(
      () => pods(9),
      (seen) => seen.includes(sick!),
      15_000,
    );
  }, 40_000);

  it('keep the rest of their policy when an annotation is wrong, and the mistake is told with its place', async () => {
    await annotate(service, { balance: 'hash', 'hash-by': 'cookie:sid', 'max-requests': 'lots', balence: 'random' });
    const found = () => door.diagnostics().filter(({ code }) => code.startsWith('FW53'));
    const findings = await eventually(found, (all) => all.length > 1);
    expect(findings.map(({ code, fieldPath }) => [code, fieldPath])).toEqual([
      ['FW5302', 'metadata.annotations["fairway.dev/balence"]'],
      ['FW5301', 'metadata.annotations["fairway.dev/max-requests"]'],
    ]);
    expect(new Set(await pods(4, { cookie: 'sid=1' })).size).toBe(1);
  });
});
