/** What a user does with TLS behind and before a Gateway: policies for backends, client certificates, connection reuse. */
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackendTLSPolicy, ConfigMap, Gateway } from '../../src/kube/types/index.ts';
import { authority, hasOpenssl } from '../../src/proxy/testing/certificates.ts';
import type { Certificate } from '../../src/routing/plan/plan.ts';
import { apiOf, ask, canBind, conditionsOf, type Echo, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { type Manifest, stream } from '../support/manifests.ts';

const able = canBind && hasOpenssl();
if (!able) console.log('skipped: needs root on Linux and the openssl command');

const gatewayApi = 'gateway.networking.k8s.io/v1';
const image = 'gcr.io/k8s-staging-gateway-api/echo-basic:v20260204-monthly-2026.01-16-gbaa5b7d4';

const secretOf = (name: string, { chain, key }: Certificate): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': chain, 'tls.key': key },
});
const bundle = (name: string, pem: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { 'ca.crt': pem },
});
const service = (name: string, port: object): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: 'secure' }, ports: [{ name: 'https', port: 443, targetPort: 8443, ...port }] },
});
const policy = (name: string, target: string, validation: object): Manifest => ({
  apiVersion: gatewayApi,
  kind: 'BackendTLSPolicy',
  metadata: { name, namespace: 'default' },
  spec: { targetRefs: [{ group: '', kind: 'Service', name: target }], validation },
});
const caRefs = (name: string) => [{ group: '', kind: 'ConfigMap', name }];

/** Echo Pods that speak TLS, and verify client certificates if they get one. */
const secure: Manifest = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'secure', namespace: 'default', labels: { app: 'secure' } },
  spec: {
    containers: [
      {
        name: 'echo',
        image,
        env: [
          { name: 'TLS_SERVER_CERT', value: '/certs/tls.crt' },
          { name: 'TLS_SERVER_PRIVKEY', value: '/certs/tls.key' },
          { name: 'TLS_CLIENT_CACERTS', value: '/ca/ca.crt' },
        ],
        ports: [{ containerPort: 8443 }],
        volumeMounts: [
          { name: 'certs', mountPath: '/certs' },
          { name: 'ca', mountPath: '/ca' },
        ],
      },
    ],
    volumes: [
      { name: 'certs', secret: { secretName: 'pods' } },
      { name: 'ca', configMap: { name: 'trusted' } },
    ],
  },
};

const services = ['verified', 'stranger', 'missing', 'spiffe', 'unverified'];
const routes = (gateway: string): Manifest => ({
  apiVersion: gatewayApi,
  kind: 'HTTPRoute',
  metadata: { name: `to-${gateway}`, namespace: 'default' },
  spec: {
    parentRefs: [{ name: gateway }],
    rules: services.map((name) => ({
      matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }],
      backendRefs: [{ name, port: 443 }],
    })),
  },
});

describe.skipIf(!able)('TLS to backends and from clients', () => {
  let door: TestDoor;
  let client: Certificate;
  const addressOf = (name: string) => door.summary.gateways.find((each) => each.name === name)!.addresses[0]!;
  const get = (path: string, gateway = 'plain') => ask({ address: addressOf(gateway), path });
  type TlsEcho = Echo & { tls?: { serverName: string; version: string; peerCertificates?: string[] } };
  const policyStatus = (name: string) =>
    door.store.get<BackendTLSPolicy>('backendtlspolicies.gateway.networking.k8s.io', `default/${name}`)?.status;

  beforeAll(async () => {
    const ca = authority('trusted');
    const stranger = authority('stranger');
    client = ca.issue('door', ['DNS:door.example']);
    const front = ca.issue('front', ['DNS:*.example.com']);
    const listeners = ['a', 'b'].map((name) => ({
      name,
      port: 443,
      protocol: 'HTTPS',
      hostname: `${name}.example.com`,
      tls: { certificateRefs: [{ name: 'front' }] },
    }));
    door = await openDoor(30, {
      paths: ['-'],
      stdin: stream(
        secretOf('pods', ca.issue('pods', ['DNS:pods.example', 'URI:spiffe://cluster/secure'])),
        secretOf('client', client),
        secretOf('front', front),
        bundle('trusted', ca.certificate),
        bundle('stranger', stranger.certificate),
        secure,
        ...services.map((name) => service(name, name === 'unverified' ? { appProtocol: 'https' } : {})),
        policy('verified', 'verified', { caCertificateRefs: caRefs('trusted'), hostname: 'pods.example' }),
        policy('stranger', 'stranger', { caCertificateRefs: caRefs('stranger'), hostname: 'pods.example' }),
        policy('missing', 'missing', { caCertificateRefs: caRefs('none'), hostname: 'pods.example' }),
        policy('spiffe', 'spiffe', {
          caCertificateRefs: caRefs('trusted'),
          hostname: 'other.example',
          subjectAltNames: [{ type: 'URI', uri: 'spiffe://cluster/secure' }],
        }),
        {
          apiVersion: gatewayApi,
          kind: 'GatewayClass',
          metadata: { name: 'fairway' },
          spec: { controllerName: 'fairway.dev/gateway' },
        },
        {
          apiVersion: gatewayApi,
          kind: 'Gateway',
          metadata: { name: 'plain', namespace: 'default' },
          spec: { gatewayClassName: 'fairway', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
        },
        {
          apiVersion: gatewayApi,
          kind: 'Gateway',
          metadata: { name: 'mutual', namespace: 'default' },
          spec: {
            gatewayClassName: 'fairway',
            listeners,
            tls: {
              backend: { clientCertificateRef: { name: 'client' } },
              frontend: { default: { validation: { caCertificateRefs: caRefs('trusted') } } },
            },
          },
        },
        routes('plain'),
        routes('mutual'),
      ),
    });
  });
  afterAll(() => door?.close(0));

  it('speaks TLS as the policy of the Service says', async () => {
    const { status, echo } = await get('/verified');
    expect(status).toBe(200);
    expect((echo as TlsEcho).tls).toMatchObject({ serverName: 'pods.example', version: 'TLSv1.3' });
    expect((echo as TlsEcho).tls?.peerCertificates ?? []).toEqual([]);
    expect(
      policyStatus('verified')?.ancestors.map(({ ancestorRef, conditions }) => [
        ancestorRef.name,
        conditionsOf(conditions),
      ]),
    ).toEqual([
      ['mutual', ['Accepted=True(Accepted)', 'ResolvedRefs=True(ResolvedRefs)']],
      ['plain', ['Accepted=True(Accepted)', 'ResolvedRefs=True(ResolvedRefs)']],
    ]);
  });

  it('knows Pods by their SPIFFE identity', async () => {
    const { status, echo } = await get('/spiffe');
    expect([status, (echo as TlsEcho).tls?.serverName]).toEqual([200, 'other.example']);
  });

  it('answers 502 for Pods that the policy does not trust, and 500 while the policy cannot be followed', async () => {
    expect((await get('/stranger')).status).toBe(502);
    expect((await get('/missing')).status).toBe(500);
    expect(conditionsOf(policyStatus('missing')?.ancestors[0]?.conditions)).toEqual([
      'Accepted=False(NoValidCACertificate)',
      'ResolvedRefs=False(InvalidCACertificateRef)',
    ]);
  });

  it('encrypts to a port of appProtocol https without verifying, and says so', async () => {
    expect((await get('/unverified')).status).toBe(200);
    expect(door.summary.diagnostics.map(({ code, object }) => `${code} ${object?.name}`)).toContain(
      'FW3409 unverified',
    );
  });

  /** A request to the Gateway that asks for client certificates. */
  function knock(host: string, servername: string, shown?: Certificate): Promise<{ status: number; echo: TlsEcho }> {
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        {
          host: addressOf('mutual'),
          path: '/verified',
          servername,
          headers: { host },
          agent: false,
          rejectUnauthorized: false,
          ...(shown && { cert: shown.chain, key: shown.key }),
        },
        async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ status: response.statusCode!, echo: text.startsWith('{') ? JSON.parse(text) : {} });
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  it('lets clients in with certificates of the authority, and shows backends its own', async () => {
    const { status, echo } = await knock('a.example.com', 'a.example.com', client);
    expect(status).toBe(200);
    expect(echo.tls?.peerCertificates?.join('').replace(/\s/g, '')).toContain(client.chain.replace(/\s/g, ''));
    await expect(knock('a.example.com', 'a.example.com')).rejects.toThrow();
    const gateway = door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/mutual');
    expect(conditionsOf(gateway?.status?.conditions)).toContain('ResolvedRefs=True(ResolvedRefs)');
  });

  it('answers 421 to a host of another listener, and 404 to a host of none', async () => {
    expect((await knock('b.example.com', 'a.example.com', client)).status).toBe(421);
    expect((await knock('c.example.com', 'a.example.com', client)).status).toBe(404);
  });

  it('follows a policy that is mended, and a bundle that changes', async () => {
    const api = apiOf(door);
    const trusted = door.store.get<ConfigMap>('configmaps', 'default/trusted')!;
    await api.create('/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'none' },
      data: trusted.data,
    });
    await eventually(
      async () => (await get('/missing')).status,
      (status) => status === 200,
    );
    await api.patch('/api/v1/namespaces/default/configmaps/stranger', { data: trusted.data });
    await eventually(
      async () => (await get('/stranger')).status,
      (status) => status === 200,
    );
  });
});
