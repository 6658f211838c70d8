/** Imports of a clusterset from an API server, with and without their kind there. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Unstructured } from '../../../kube/types/index.ts';
import { startCluster } from '../../../local/apiserver/cluster.fixture.ts';
import { openApiSource } from '../../objects/api-source.ts';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { httpPort } from './cluster.fixture.ts';

const imports = 'serviceimports.multicluster.x-k8s.io';
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function object(apiVersion: string, kind: string, name: string, more: object): Unstructured {
  return { apiVersion, kind, metadata: { name, namespace: 'default' }, ...more };
}

async function start(
  served: boolean,
): Promise<{ server: TestServer; errors: string[]; create(o: Unstructured): void }> {
  const cluster = await startCluster();
  ending.push(cluster.close);
  if (!served) cluster.objects.registry.remove(imports);
  const create = (each: Unstructured) => expect(cluster.objects.create(each)).toMatchObject({ ok: true });
  create(object('v1', 'Service', 'web', { spec: { clusterIP: '10.96.0.7', ports: [httpPort] } }));
  const errors: string[] = [];
  const server = await serveCorefile(
    `. {
 ready
 kubernetes cluster.local clusterset.local {
  endpoint ${cluster.url}
  multicluster clusterset.local
 }
}`,
    {
      address: '127.82.2.6',
      openObjects: (access) => openApiSource(access, { onError: (text) => errors.push(text) }),
    },
  );
  ending.push(server.stop);
  return { server, errors, create };
}

describe('a clusterset read from an API server', () => {
  it('has the imports of the server and follows them', async () => {
    const { server, errors, create } = await start(true);
    const name = 'far.default.svc.clusterset.local.';
    expect(await server.answers(name)).toBe('NXDOMAIN');
    create(
      object('multicluster.x-k8s.io/v1alpha1', 'ServiceImport', 'far', {
        spec: { type: 'Headless', ports: [httpPort] },
      }),
    );
    create({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [httpPort] },
      metadata: {
        ...{ name: 'far-east', namespace: 'default' },
        labels: {
          'multicluster.kubernetes.io/service-name': 'far',
          'multicluster.kubernetes.io/source-cluster': 'east',
        },
      },
      endpoints: [{ addresses: ['172.20.0.1'] }],
    });
    await expect.poll(() => server.answers(name)).toBe(`NOERROR ${name} 5 A 172.20.0.1`);
    expect(await server.answers(`172-20-0-1.east.${name}`)).toContain('172.20.0.1');
    expect(errors).toEqual([]);
  });

  it('is empty where the server does not know them, which is said once and holds nothing up', async () => {
    const { server, errors } = await start(false);
    expect(await server.answers('web.default.svc.cluster.local')).toContain('10.96.0.7');
    expect(await server.answers('far.default.svc.clusterset.local')).toBe('NXDOMAIN');
    expect((await server.page(':8181', '/ready')).status).toBe(200);
    expect(errors).toEqual([`${imports}: not served by this API server; looked for from time to time`]);
  });
});
