/** What a user does with Services and Pods: every protocol at every address, affinity, readiness, endpoints by hand. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Pod, Service } from '../../src/kube/types/index.ts';
import { dig, digVersion } from '../support/dig.ts';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, type Manifest, stream } from '../support/manifests.ts';

if (!digVersion) console.log('skipped: names of Pods and Services are asked with dig, which is not installed');

const labels = (name: string) => ({ app: name });
const container = (ports: readonly Manifest[]) => ({ name: 'main', image: 'example.com/app:1', ports });
const service = (name: string, spec: Manifest): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec,
});

/** One workload that speaks everything, behind one Service of type LoadBalancer. */
const everything: Manifest[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'all' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels('all') },
      template: {
        metadata: { labels: labels('all') },
        spec: { containers: [container([{ containerPort: 8080 }, { containerPort: 5000, protocol: 'UDP' }])] },
      },
    },
  },
  service('all', {
    type: 'LoadBalancer',
    selector: labels('all'),
    ports: [
      { name: 'tcp', port: 80, targetPort: 8080 },
      { name: 'udp', port: 5000, protocol: 'UDP' },
    ],
  }),
];

const stateful: Manifest[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: {
      serviceName: 'db',
      replicas: 3,
      selector: { matchLabels: labels('db') },
      template: {
        metadata: { labels: labels('db') },
        spec: { containers: [container([{ name: 'sql', containerPort: 5432 }])] },
      },
    },
  },
  service('db', { clusterIP: 'None', selector: labels('db'), ports: [{ name: 'sql', port: 5432 }] }),
  service('db-all', {
    clusterIP: 'None',
    selector: labels('db'),
    publishNotReadyAddresses: true,
    ports: [{ name: 'sql', port: 5432 }],
  }),
  service('db-read', { selector: labels('db'), ports: [{ port: 80, targetPort: 'sql' }] }),
];

const daemons: Manifest[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: labels('agent') },
      template: {
        metadata: { labels: labels('agent') },
        spec: { containers: [container([{ containerPort: 9100 }])] },
      },
    },
  },
  service('agent', { selector: labels('agent'), ports: [{ port: 9100 }] }),
];

/** A process outside of the cluster that says its name and hangs up. */
async function startGreeter(address: string, name: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(name);
  });
  server.listen(0, address);
  await once(server, 'listening');
  return server;
}

async function readAll(address: string, port: number): Promise<string> {
  const socket = connect(port, address);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe.skipIf(!canBind)('Services', () => {
  let door: TestDoor;
  let greeters: Server[];
  const get = (name: string) => door.store.get<Service>('services', `default/${name}`)!;
  const podsOf = (name: string) =>
    door.store
      .list<Pod>('pods', 'default')
      .filter(({ metadata }) => metadata.labels?.['app'] === name && !metadata.deletionTimestamp);
  const dns = () => door.summary.dns[0]!;
  const named = (name: string) => `${name}.default.svc.cluster.local`;
  const podsReached = async (address: string, times: number, from?: string) => {
    const seen = new Set<string>();
    for (let i = 0; i < times; i++) seen.add((await ask({ address, ...(from && { from }) })).echo.pod);
    return [...seen].sort();
  };

  beforeAll(async () => {
    greeters = await Promise.all([startGreeter('127.77.15.1', 'slice'), startGreeter('127.77.15.2', 'endpoints')]);
    const [slicePort, endpointsPort] = greeters.map((server) => (server.address() as AddressInfo).port);
    const ports = [{ name: 'tcp', port: 7000 }];
    door = await openDoor(15, {
      paths: ['-'],
      stdin: stream(
        ...everything,
        ...stateful,
        ...daemons,
        ...app('sticky', { replicas: 3, service: { sessionAffinity: 'ClientIP' } }),
        ...app('dual', { service: { ipFamilyPolicy: 'RequireDualStack' } }),
        service('by-slice', { ports }),
        {
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: 'by-slice-1', labels: { 'kubernetes.io/service-name': 'by-slice' } },
          addressType: 'IPv4',
          ports: [{ name: 'tcp', port: slicePort }],
          endpoints: [
            { addresses: ['127.77.15.1'] },
            { addresses: ['127.77.15.9'], conditions: { ready: false, serving: false } },
          ],
        },
        service('by-endpoints', { ports }),
        {
          apiVersion: 'v1',
          kind: 'Endpoints',
          metadata: { name: 'by-endpoints' },
          subsets: [{ addresses: [{ ip: '127.77.15.2' }], ports: [{ name: 'tcp', port: endpointsPort }] }],
        },
      ),
    });
  });
  afterAll(async () => {
    await door.close(0);
    for (const server of greeters) server.close();
  });

  describe.each(['ClusterIP', 'NodePort', 'LoadBalancer'] as const)('%s', (kind) => {
    /** Where a port of the Service answers at this kind of address. */
    function place(name: 'tcp' | 'udp'): { address: string; port: number } {
      const { spec, status } = get('all');
      const { port, nodePort } = spec.ports!.find((each) => each.name === name)!;
      return {
        ClusterIP: { address: spec.clusterIP!, port },
        NodePort: { address: door.config.nodeAddress, port: nodePort! },
        LoadBalancer: { address: status?.loadBalancer?.ingress?.[0]?.ip ?? '', port },
      }[kind];
    }
    const url = (scheme: string) => `${scheme}://${place('tcp').address}:${place('tcp').port}`;

    it('takes HTTP/1.1 to the Pods in turn', async () => {
      const seen = new Map<string, number>();
      for (let i = 0; i < 10; i++) {
        const { echo } = await ask({ ...place('tcp'), path: '/x' });
        expect(echo).toMatchObject({ path: '/x', proto: 'HTTP/1.1', namespace: 'default' });
        seen.set(echo.pod, (seen.get(echo.pod) ?? 0) + 1);
      }
      expect([...seen.values()]).toEqual([5, 5]);
    });

    it('takes WebSockets', async () => {
      const socket = new WebSocket(`${url('ws')}/chat`);
      await once(socket, 'open');
      socket.send('ahoy');
      const [data] = await once(socket, 'message');
      expect(String(data)).toBe('ahoy');
      socket.close();
    });

    it('takes HTTP/2 in plain text', async () => {
      const session = http2.connect(url('http'));
      const request = session.request({ ':path': '/two' });
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      session.close();
      expect(JSON.parse(text)).toMatchObject({ path: '/two', proto: 'HTTP/2.0' });
    });

    it('takes gRPC', async () => {
      const session = http2.connect(url('http'));
      const request = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const trailers = once(request, 'trailers');
      request.end(Buffer.alloc(5));
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      session.close();
      expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
      // One message, not compressed, two bytes long: field 1 is 1 (SERVING).
      expect([...Buffer.concat(chunks)]).toEqual([0, 0, 0, 0, 2, 8, 1]);
    });

    it('takes any other TCP', async () => {
      const socket = connect(place('tcp').port, place('tcp').address);
      socket.write('\x01not HTTP at all\n');
      const [data] = await once(socket, 'data');
      expect(String(data)).toBe('\x01not HTTP at all\n');
      socket.destroy();
    });

    it('takes UDP', async () => {
      const socket = createSocket('udp4');
      socket.send('datagram', place('udp').port, place('udp').address);
      const [data] = await once(socket, 'message');
      expect(String(data)).toBe('datagram');
      socket.close();
    });
  });

  it('sessionAffinity ClientIP keeps a client at its Pod, and spreads clients', async () => {
    const address = get('sticky').spec.clusterIP!;
    const chosen = [];
    for (let client = 1; client <= 9; client++) {
      const pods = await podsReached(address, 4, `127.77.15.${100 + client}`);
      expect(pods).toHaveLength(1);
      chosen.push(pods[0]);
    }
    expect(new Set(chosen).size).toBeGreaterThan(1);
    // The first client comes back to where it was, with the others in between.
    expect(await podsReached(address, 3, '127.77.15.101')).toEqual([chosen[0]]);
  });

  it('a DaemonSet has one Pod on the one node, which answers', async () => {
    expect(podsOf('agent')).toHaveLength(1);
    const { echo } = await ask({ address: get('agent').spec.clusterIP!, port: 9100 });
    expect(echo.pod).toBe(podsOf('agent')[0]!.metadata.name);
  });

  it('endpoints written by hand lead out of the cluster, as EndpointSlice and as Endpoints', async () => {
    for (const [name, text] of [
      ['by-slice', 'slice'],
      ['by-endpoints', 'endpoints'],
    ] as const) {
      // biome-ignore format: one line
      const address = get(name).spec.clusterIP!;
      for (let i = 0; i < 3; i++) expect(await readAll(address, 7000)).toBe(text);
    }
  });

  describe.skipIf(!digVersion)('names, asked with dig', () => {
    it('a headless Service has the addresses of its Pods, a name for each, and their ports', async () => {
      const addresses = podsOf('db')
        .map(({ status }) => status!.podIP!)
        .sort();
      expect(await dig(dns(), named('db'))).toEqual(addresses);
      for (const pod of podsOf('db'))
        expect(await dig(dns(), named(`${pod.metadata.name}.db`))).toEqual([pod.status!.podIP]);
      expect(await dig(dns(), named('_sql._tcp.db'), 'SRV')).toEqual(
        [0, 1, 2].map((ordinal) => `0 33 5432 db-${ordinal}.db.default.svc.cluster.local.`),
      );
      expect(await dig(dns(), '-x', podsOf('db')[0]!.status!.podIP!)).toContain(
        `${podsOf('db')[0]!.metadata.name}.db.default.svc.cluster.local.`,
      );
    });

    it('a Service of two families has an address of each', async () => {
      const { clusterIPs = [] } = get('dual').spec;
      expect(clusterIPs).toHaveLength(2);
      expect(await dig(dns(), named('dual'), 'A')).toEqual([clusterIPs[0]]);
      expect(await dig(dns(), named('dual'), 'AAAA')).toEqual([clusterIPs[1]]);
      expect(await dig(dns(), named('sticky'), 'AAAA')).toEqual([]);
    });

    it('an unready Pod leaves rotation and DNS, except where unready addresses are published', async () => {
      const address = get('db-read').spec.clusterIP!;
      const pod = podsOf('db').find(({ metadata }) => metadata.name === 'db-1')!;
      const annotate = (value: string | null) =>
        apiOf(door).patch('/api/v1/namespaces/default/pods/db-1', {
          metadata: { annotations: { 'fairway.dev/ready': value } },
        });
      expect(await podsReached(address, 6)).toEqual(['db-0', 'db-1', 'db-2']);
      await annotate('false');
      await eventually(
        () => podsReached(address, 6),
        (seen) => seen.join() === 'db-0,db-2',
      );
      expect(await dig(dns(), named('db'))).not.toContain(pod.status!.podIP);
      expect(await dig(dns(), named('db-1.db'))).toEqual([]);
      expect(await dig(dns(), named('db-all'))).toContain(pod.status!.podIP);
      // Pods have their hostname below the Service that is their subdomain only; others have it by address.
      const dashed = pod.status!.podIP!.replaceAll('.', '-');
      expect(await dig(dns(), named(`${dashed}.db-all`))).toEqual([pod.status!.podIP]);
      await annotate(null);
      await eventually(
        () => podsReached(address, 6),
        (seen) => seen.join() === 'db-0,db-1,db-2',
      );
      expect(await dig(dns(), named('db'))).toContain(pod.status!.podIP);
    });

    it('a deleted Pod of a StatefulSet comes back under its name, and the name leads to it', async () => {
      const before = podsOf('db').find(({ metadata }) => metadata.name === 'db-1')!;
      await apiOf(door).remove('/api/v1/namespaces/default/pods/db-1');
      const after = await eventually(
        () => door.store.get<Pod>('pods', 'default/db-1'),
        (pod) =>
          pod?.metadata.uid !== before.metadata.uid &&
          pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
        5000,
      );
      await eventually(
        () => dig(dns(), named('db-1.db')),
        (seen) => seen.join() === after!.status!.podIP,
      );
      const [address] = await dig(dns(), named('db-1.db'));
      expect((await ask({ address: address!, port: 5432 })).echo.pod).toBe('db-1');
      expect(
        podsOf('db')
          .map(({ metadata }) => metadata.name)
          .sort(),
      ).toEqual(['db-0', 'db-1', 'db-2']);
    });

    it('scaled to none, the Service refuses connections, and its name remains', async () => {
      await apiOf(door).patch('/apis/apps/v1/namespaces/default/statefulsets/db/scale', { spec: { replicas: 0 } });
      await eventually(
        () => dig(dns(), named('db')),
        (seen) => seen.length === 0,
        5000,
      );
      const address = get('db-read').spec.clusterIP!;
      expect(await dig(dns(), named('db-read'))).toEqual([address]);
      // Pods that are ending still serve when there are no others.
      const failure = () =>
        ask({ address }).then(
          ({ status }) => String(status),
          (error: Error) => error.message,
        );
      expect(await eventually(failure, (seen) => seen !== '200', 5000)).toMatch(
        /ECONNREFUSED|ECONNRESET|socket hang up/,
      );
    });
  });
});
