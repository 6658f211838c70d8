/** The options of the plugin, each through a server. */
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../../kube/store/store.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import { serveCorefile, type TestServer } from '../../testing.ts';

const address = '127.81.6.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

function cluster() {
  const store = createStore();
  const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
  const service = (namespace: string, name: string, spec: object, labels = {}) =>
    put('services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec });
  const namespace = (name: string, labels = {}) =>
    put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  namespace('shop', { team: 'a' });
  namespace('lab');
  service('shop', 'web', { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80 }] }, { tier: 'web' });
  service('shop', 'db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] });
  service('lab', 'web', { clusterIP: '10.96.0.8', ports: [{ port: 80 }] });
  put('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.0.0.5'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'db-0' } }],
  });
  return { store, namespace };
}

async function serve(
  options: string,
  more: Partial<Parameters<typeof serveCorefile>[1]> = {},
  zones = 'cluster.local in-addr.arpa',
) {
  const server = await serveCorefile(`. {\n ready\n kubernetes ${zones} {\n ${options}\n }\n whoami\n}`, {
    address,
    ...more,
  });
  open.push(server);
  return server;
}

const web = 'web.shop.svc.cluster.local';

describe('kubernetes', () => {
  it.each<[string, string, string, string]>([
    ['ttl 30', web, 'A', `NOERROR ${web}. 30 A 10.96.0.7`],
    ['namespaces lab', web, 'A', 'NXDOMAIN'],
    ['namespaces lab', 'shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['namespaces lab\n namespaces shop', web, 'A', `NOERROR ${web}. 5 A 10.96.0.7`],
    ['namespace_labels team=a', web, 'A', `NOERROR ${web}. 5 A 10.96.0.7`],
    ['namespace_labels team=a', 'web.lab.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['labels tier in (web)', web, 'A', `NOERROR ${web}. 5 A 10.96.0.7`],
    ['labels tier in (web)', 'web.lab.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['ttl 5', '10-0-0-5.db.shop.svc.cluster.local', 'A', 'NOERROR 10-0-0-5.db.shop.svc.cluster.local. 5 A 10.0.0.5'],
    [
      'endpoint_pod_names',
      'db-0.db.shop.svc.cluster.local',
      'A',
      'NOERROR db-0.db.shop.svc.cluster.local. 5 A 10.0.0.5',
    ],
    [
      'endpoint_pod_names',
      '5.0.0.10.in-addr.arpa',
      'PTR',
      'NOERROR 5.0.0.10.in-addr.arpa. 5 PTR db-0.db.shop.svc.cluster.local.',
    ],
    ['noendpoints', 'db.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['ignore empty_service', web, 'A', 'NXDOMAIN'],
    ['pods disabled', '10-0-0-9.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['pods insecure', '10-0-0-9.shop.pod.cluster.local', 'A', 'NOERROR 10-0-0-9.shop.pod.cluster.local. 5 A 10.0.0.9'],
    ['pods verified', '10-0-0-9.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['fallthrough in-addr.arpa', 'nope.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['fallthrough in-addr.arpa', '9.9.9.10.in-addr.arpa', 'PTR', 'NOERROR'],
    ['fallthrough', 'nope.shop.svc.cluster.local', 'A', 'NOERROR'],
    ['ttl 5', '9.9.9.10.in-addr.arpa', 'PTR', 'NXDOMAIN'],
    ['ttl 5', '1.ip6.arpa', 'PTR', 'NOERROR'],
  ])('with %s answers %s %s', async (options, name, type, expected) => {
    expect(await (await serve(options, cluster())).answers(name, type)).toBe(expected);
  });

  it('shows a namespace from the moment it has the labels', async () => {
    const { store, namespace } = cluster();
    const server = await serve('namespace_labels team=a', { store });
    expect(await server.answers('web.lab.svc.cluster.local')).toBe('NXDOMAIN');
    namespace('lab', { team: 'a' });
    expect(await server.answers('web.lab.svc.cluster.local')).toContain('10.96.0.8');
    namespace('shop', { team: 'b' });
    expect(await server.answers(web)).toBe('NXDOMAIN');
  });

  it('serves several zones and the reverse zones of networks alone', async () => {
    const server = await serve('ttl 5', cluster(), 'cluster.local k8s.test 10.96.0.0/16');
    expect(await server.answers('web.shop.svc.k8s.test')).toContain('10.96.0.7');
    expect(await server.answers('7.0.96.10.in-addr.arpa', 'PTR')).toContain(`PTR ${web}.`);
    expect(await server.answers('5.0.0.10.in-addr.arpa', 'PTR')).toBe('NOERROR');
  });

  it('says SERVFAIL instead of NXDOMAIN until all objects are read, and is not ready', async () => {
    const { store } = cluster();
    let synced = false;
    const server = await serve('startup_timeout 50ms', {
      openObjects: () => ({ store, synced: () => synced, close: () => {} }),
    });
    expect(await server.answers(web)).toContain('10.96.0.7');
    expect(await server.answers('nope.shop.svc.cluster.local')).toBe('SERVFAIL');
    expect(await server.page(':8181', '/ready')).toEqual({ status: 503, text: 'kubernetes' });
    synced = true;
    expect(await server.answers('nope.shop.svc.cluster.local')).toBe('NXDOMAIN');
    expect((await server.page(':8181', '/ready')).status).toBe(200);
  });

  it.each([
    ['namespaces a\n namespace_labels b=c', 'cannot both be set'],
    ['labels a in (', 'labels:'],
    ['ttl 3601', 'ttl must be in range [0, 3600]'],
    ['pods sometimes', 'pods must be one of'],
    ['ignore everything', "unable to parse ignore value: 'everything'"],
    ['zonal yes', 'wrong argument count for zonal'],
    ['zonal\n noendpoints', 'zonal needs endpoints'],
    ['multicluster clusterset.local', 'not authoritative for the multicluster zone clusterset.local.'],
    ['apiserver_qps -1', 'apiserver_qps must be a number of at least 0'],
    ['apiserver_qps', 'wrong argument count for apiserver_qps'],
    ['apiserver_burst 2.5', 'not a whole number'],
    ['apiserver_max_inflight 0x10', 'not a whole number'],
    ['resyncperiod 5m', "unknown property 'resyncperiod'"],
  ])('refuses %j', async (options, message) => {
    await expect(serve(options, cluster())).rejects.toThrow(message);
  });

  it('hands on how the API is to be reached, and says what is missing', async () => {
    const asked: unknown[] = [];
    const lines = 'endpoint http://127.0.0.1:8001\n kubeconfig file ctx\n tls a b c\n apiserver_qps 5';
    await expect(
      serve(lines, {
        openObjects(access) {
          asked.push(access);
          return { error: 'no client here' };
        },
      }),
    ).rejects.toThrow('Corefile:3: kubernetes: no client here');
    expect(asked).toEqual([
      {
        endpoint: 'http://127.0.0.1:8001',
        kubeconfig: { file: 'file', context: 'ctx' },
        tls: { cert: 'a', key: 'b', ca: 'c' },
        pods: false,
        endpoints: true,
        qps: 5,
      },
    ]);
    await expect(serve('ttl 5', cluster(), 'in-addr.arpa')).rejects.toThrow('non-reverse zone name must be used');
  });
});
