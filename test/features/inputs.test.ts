/** Real manifests that nobody here wrote: each folder and file loads, serves what it can, and says what it lacks. */
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import type { Gateway, Service } from '../../src/kube/types/index.ts';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';

const inputs = join(packageRoot, 'test/inputs');

function filesBelow(path: string): string[] {
  if (statSync(path).isFile()) return /\.ya?ml$/.test(path) ? [path] : [];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

describe.skipIf(!canBind)('real manifests', () => {
  let door: TestDoor | undefined;
  afterEach(async () => {
    await door?.close(0);
    door = undefined;
  });

  it('online-boutique: every Service answers, Istio kinds are skipped with one line each', async () => {
    door = await openDoor(2, { paths: [join(inputs, 'online-boutique')] });
    expect(door.summary.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const skipped = door.summary.diagnostics.filter(({ code }) => code === 'FW1002').map(({ message }) => message);
    expect(skipped).toEqual([
      expect.stringContaining('Gateway (networking.istio.io/v1alpha3)'),
      expect.stringContaining('VirtualService (networking.istio.io/v1alpha3)'),
    ]);
    const own = door.summary.services.filter(({ namespace, name }) => namespace === 'default' && name !== 'kubernetes');
    expect(own.length).toBe(12);
    for (const { name, clusterIP, ports } of own) {
      const { status, echo } = await ask({ address: clusterIP!, port: ports[0]!.port, path: '/hello' });
      expect([name, status, echo.path]).toEqual([name, 200, '/hello']);
    }
    const external = door.store.get<Service>('services', 'default/frontend-external')!;
    const address = external.status!.loadBalancer!.ingress![0]!.ip!;
    expect((await ask({ address, port: 80 })).echo.pod).toMatch(/^frontend-/);
  });

  it('guestbook: NodePort and named Services answer', async () => {
    door = await openDoor(2, { paths: [join(inputs, 'guestbook')] });
    expect(door.summary.diagnostics.filter(({ severity }) => severity !== 'info')).toEqual([]);
    const frontend = door.store.get<Service>('services', 'default/frontend')!;
    expect(
      (await ask({ address: door.config.nodeAddress, port: frontend.spec.ports![0]!.nodePort! })).echo.pod,
    ).toMatch(/^frontend-/);
  });

  it('gateway-api-examples, all together: nothing is lost and nothing is silent', async () => {
    door = await openDoor(2, { paths: [join(inputs, 'gateway-api-examples')] });
    expect(door.summary.gateways.length).toBeGreaterThan(15);
    expect(door.summary.diagnostics.length).toBeGreaterThan(0);
    for (const finding of door.summary.diagnostics) expect(finding.object ?? finding.position).toBeDefined();
  });

  it.each(filesBelow(join(inputs, 'gateway-api-examples')).map((file) => [relative(inputs, file), file]))(
    '%s loads alone',
    async (_name, file) => {
      door = await openDoor(2, { paths: [file] });
      const refused = door.summary.diagnostics.filter(
        ({ code }) => code === 'FW1003' || code === 'FW1001' || code === 'FW1009',
      );
      expect(refused).toEqual([]);
      for (const kind of ['gateways', 'httproutes']) {
        for (const object of door.store.list<Gateway>(`${kind}.gateway.networking.k8s.io`)) {
          // A route whose Gateway is in another file has no status in a cluster either; it is told all the same.
          const told = door.summary.diagnostics.some(
            (finding) => finding.object?.kind === object.kind && finding.object.name === object.metadata.name,
          );
          expect([object.kind, object.metadata.name, object.status !== undefined || told]).toEqual([
            object.kind,
            object.metadata.name,
            true,
          ]);
        }
      }
    },
  );
});
