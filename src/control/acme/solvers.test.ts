/** DNS-01 by our own DNS, TLS-ALPN-01, and listeners of Gateways, against Debian's pebble. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveCorefile, type TestServer } from '../../dns/testing.ts';
import { createEmptyObjects, ingressFor, issuersMap, pebbleIssuer, startEstate } from './testing/estate.ts';
import { type Pebble, startPebble, whyNoPebble } from './testing/pebble.ts';
import { served } from './testing/served.ts';

const missing = whyNoPebble();
if (missing) console.log(`solvers of acme: skipped, ${missing}`);

const [ca, door, dnsAddress] = ['127.84.5.1', '127.84.5.2', '127.84.5.3'];
const ports = { 80: 18_451, 443: 18_452 };
const asks = { 'cert-manager.io/cluster-issuer': 'test' };

describe.skipIf(missing)('a certificate', () => {
  let pebble: Pebble;
  let dns: TestServer;
  const objects = createEmptyObjects();

  beforeAll(async () => {
    const corefile = `. {
      acme {
        configmap fairway/fairway-acme-challenges
      }
      template IN A {
        answer "{{ .Name }} 60 IN A ${door}"
      }
      template IN ANY {
        rcode NOERROR
      }
    }`;
    dns = await serveCorefile(corefile, { address: dnsAddress, store: objects.store });
    const places = { address: ca, target: door, httpPort: ports[80], tlsPort: ports[443] };
    pebble = await startPebble({ ...places, dns: `${dnsAddress}:${dns.port()}` });
  });
  afterAll(async () => {
    await pebble?.stop();
    await dns?.stop();
  });

  const start = () => {
    const estate = startEstate({ address: door, ports, objects });
    onTestFinished(() => estate.stop());
    return estate;
  };

  const names = async (host: string) => (await served(door, ports[443], host, await pebble.root())).subjectaltname;

  it('of a wildcard and its own name is proved by two records of one name', async () => {
    const estate = start();
    const solvers =
      '  solvers: [{ challenge: http01 }, { challenge: dns01, dnsZones: [example.net], propagationSeconds: 0 }]';
    const hosts = ['*.example.net', 'example.net', 'a.example.com'];
    estate.put(issuersMap(pebbleIssuer(pebble, solvers)), ingressFor({ hosts, secretName: 'wild', annotations: asks }));
    await estate.until(() => estate.secret('shop/wild') !== undefined);
    await estate.until(() => estate.findings().length === 0);
    expect(await names('www.example.net')).toBe('DNS:*.example.net, DNS:a.example.com, DNS:example.net');
    expect(await dns.answers('_acme-challenge.example.net.', 'TXT')).toBe('NOERROR');
  });

  it('is proved by TLS-ALPN-01 before there is a door for TLS, and again when there is one', async () => {
    const estate = start();
    for (const { metadata } of objects.store.list('ingresses.networking.k8s.io', 'shop'))
      estate.remove('ingresses.networking.k8s.io', `shop/${metadata.name}`);
    const solvers = '  solvers: [{ challenge: tls-alpn01 }]';
    estate.put(issuersMap(pebbleIssuer(pebble, solvers)));
    estate.put(ingressFor({ hosts: ['first.example.com'], secretName: 'alpn', annotations: asks }));
    await estate.until(() => estate.secret('shop/alpn') !== undefined);
    await estate.until(() => estate.findings().length === 0);
    expect(await names('first.example.com')).toBe('DNS:first.example.com');
    estate.put(
      ingressFor({ hosts: ['first.example.com', 'second.example.com'], secretName: 'alpn', annotations: asks }),
    );
    await estate.until(() => estate.findings().some((each) => each.includes('second')));
    await estate.until(() => estate.findings().length === 0);
    expect(await names('second.example.com')).toBe('DNS:first.example.com, DNS:second.example.com');
  });

  it('is had for a listener of a Gateway, and for kubernetes.io/tls-acme by the only issuer', async () => {
    const estate = start();
    const apiVersion = 'gateway.networking.k8s.io/v1';
    const certificateRefs = [{ name: 'gateway-tls' }];
    const listeners = [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'https', port: 443, protocol: 'HTTPS', hostname: 'gw.example.com', tls: { certificateRefs } },
    ];
    for (const { metadata } of objects.store.list('ingresses.networking.k8s.io', 'shop'))
      estate.remove('ingresses.networking.k8s.io', `shop/${metadata.name}`);
    estate.put(issuersMap(pebbleIssuer(pebble)), {
      ...{ apiVersion, kind: 'Gateway', spec: { gatewayClassName: 'any', listeners } },
      metadata: { name: 'gw', namespace: 'shop', annotations: { 'kubernetes.io/tls-acme': 'true' } },
    });
    await estate.until(() => estate.secret('shop/gateway-tls') !== undefined);
    const certificate = Buffer.from(estate.secret('shop/gateway-tls')!.data!['tls.crt']!, 'base64').toString();
    expect(certificate).toContain('BEGIN CERTIFICATE');
    await estate.until(() => estate.findings().length === 0);
  });
});
