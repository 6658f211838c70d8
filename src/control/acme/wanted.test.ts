import { describe, expect, it } from 'vitest';
import type { Gateway, Ingress } from '../../kube/types/index.ts';
import type { Issuer } from './issuers.ts';
import { ingressFor } from './testing/estate.ts';
import { wantedCertificates } from './wanted.ts';

const issuer = (name: string, more: Partial<Issuer> = {}): Issuer => ({
  ...{ name, server: 'https://acme.example/dir', isDefault: false, namespaces: [] },
  solvers: [{ challenge: 'http-01', dnsZones: [], propagationMs: 0 }],
  ...more,
});

const read = (objects: readonly object[], issuers: readonly Issuer[] = [issuer('a'), issuer('b')]) => {
  const found = wantedCertificates({
    ingresses: objects.filter((each) => (each as Ingress).kind === 'Ingress') as Ingress[],
    gateways: objects.filter((each) => (each as Ingress).kind !== 'Ingress') as Gateway[],
    issuers: new Map(issuers.map((each) => [each.name, each])),
    position: () => undefined,
  });
  return {
    certificates: found.certificates.map(({ key, names, issuer: by }) => `${key} ${names.join(',')} ${by.name}`),
    findings: found.findings.map(({ code, fieldPath, message }) => `${code} ${fieldPath}: ${message}`),
  };
};

const asks = (name: string) => ({ 'cert-manager.io/cluster-issuer': name });

describe('certificates that Ingresses ask for', () => {
  it('are one for each Secret, with the names of all that share it', () => {
    const { certificates, findings } = read([
      ingressFor({ name: 'one', hosts: ['B.example.com', 'a.example.com'], annotations: asks('a') }),
      ingressFor({ name: 'two', hosts: ['c.example.com', 'a.example.com'], annotations: asks('a') }),
      ingressFor({
        name: 'three',
        hosts: ['d.example.com'],
        secretName: 'own',
        annotations: { 'cert-manager.io/issuer': 'b' },
      }),
      ingressFor({ name: 'four', hosts: ['e.example.com'], secretName: 'silent' }),
    ]);
    expect(certificates).toEqual(
      ['shop/web-tls a.example.com,b.example.com,c.example.com a', 'shop/own d.example.com b'].sort(
        (x, y) => certificates.indexOf(x) - certificates.indexOf(y),
      ),
    );
    expect(certificates).toHaveLength(2);
    expect(findings).toEqual([]);
  });

  it('are by the default issuer for kubernetes.io/tls-acme', () => {
    const asking = [ingressFor({ hosts: ['a.example.com'], annotations: { 'kubernetes.io/tls-acme': 'true' } })];
    expect(read(asking, [issuer('a'), issuer('b', { isDefault: true })]).certificates).toEqual([
      'shop/web-tls a.example.com b',
    ]);
    expect(read(asking, [issuer('only')]).certificates).toEqual(['shop/web-tls a.example.com only']);
    expect(read(asking)).toMatchObject({
      certificates: [],
      findings: ['FW6021 metadata.annotations["kubernetes.io/tls-acme"]: there is no default issuer among ours (a, b)'],
    });
    const silent = [ingressFor({ hosts: ['a.example.com'], annotations: { 'kubernetes.io/tls-acme': 'false' } })];
    expect(read(silent)).toEqual({ certificates: [], findings: [] });
  });

  it.each([
    [
      asks('nobody'),
      'FW6021 metadata.annotations["cert-manager.io/cluster-issuer"]: there is no issuer nobody among ours (a, b)',
    ],
    [{ ...asks('a'), 'cert-manager.io/issuer-group': 'awspca.cert-manager.io' }, 'FW6021'],
    [{ ...asks('a'), 'cert-manager.io/duration': '24h' }, 'FW6027 metadata.annotations["cert-manager.io/duration"]'],
  ])('are told of where annotations are %j', (annotations, finding) => {
    const { findings } = read([ingressFor({ hosts: ['a.example.com'], annotations })]);
    expect(findings.join()).toContain(finding);
  });

  it('are only for names that can be proved', () => {
    const hosts = ['*.example.com', 'ok.example.com', 'localhost', 'a_b.example.com'];
    const { certificates, findings } = read([ingressFor({ hosts, annotations: asks('a') })]);
    expect(certificates).toEqual(['shop/web-tls ok.example.com a']);
    expect(findings).toHaveLength(3);
    expect(findings.join()).toContain('*.example.com: the issuer a has no solver by DNS-01, which wildcards need');
  });

  it('are not for namespaces that the issuer is not for', () => {
    const asking = [ingressFor({ hosts: ['a.example.com'], annotations: asks('a') })];
    expect(read(asking, [issuer('a', { namespaces: ['other'] })])).toMatchObject({ certificates: [] });
    expect(read(asking, [issuer('a', { namespaces: ['shop'] })])).toMatchObject({ findings: [] });
  });

  it('belong to the oldest where issuers differ', () => {
    const old = ingressFor({ name: 'z', hosts: ['z.example.com'], annotations: asks('b') }) as Ingress;
    old.metadata.creationTimestamp = '2020-01-01T00:00:00Z';
    const { certificates, findings } = read([ingressFor({ hosts: ['a.example.com'], annotations: asks('a') }), old]);
    expect(certificates).toEqual(['shop/web-tls z.example.com b']);
    expect(findings.join()).toContain('FW6026 spec.tls[0].secretName: Secret shop/web-tls is issued by b');
  });

  it('have a hundred names at most', () => {
    const hosts = Array.from({ length: 101 }, (_, i) => `h${i}.example.com`);
    const { certificates, findings } = read([ingressFor({ hosts, annotations: asks('a') })]);
    expect(certificates).toEqual([]);
    expect(findings.join()).toContain('101 names; 100 at most');
  });
});

describe('certificates that Gateways ask for', () => {
  const gateway = (listeners: readonly object[]) => ({
    ...{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', spec: { gatewayClassName: 'x', listeners } },
    metadata: { name: 'gw', namespace: 'shop', annotations: asks('a') },
  });
  const tls = (ref: object, mode?: string) => ({ certificateRefs: [ref], ...(mode && { mode }) });

  it('are those of listeners with a hostname that terminate TLS with a Secret of their namespace', () => {
    const { certificates } = read([
      gateway([
        { name: 'http', port: 80, protocol: 'HTTP', hostname: 'a.example.com' },
        { name: '1', port: 443, protocol: 'HTTPS', hostname: 'b.example.com', tls: tls({ name: 'one' }) },
        { name: '2', port: 443, protocol: 'TLS', hostname: 'c.example.com', tls: tls({ name: 'two' }, 'Terminate') },
        { name: '3', port: 443, protocol: 'TLS', hostname: 'd.example.com', tls: tls({ name: 'no' }, 'Passthrough') },
        { name: '4', port: 443, protocol: 'HTTPS', tls: tls({ name: 'no' }) },
        {
          name: '5',
          port: 443,
          protocol: 'HTTPS',
          hostname: 'e.example.com',
          tls: tls({ name: 'no', namespace: 'x' }),
        },
        { name: '6', port: 444, protocol: 'HTTPS', hostname: 'f.example.com', tls: tls({ name: 'one' }) },
      ]),
    ]);
    expect(certificates).toEqual(['shop/one b.example.com,f.example.com a', 'shop/two c.example.com a']);
  });
});
