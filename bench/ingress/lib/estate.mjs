/** An estate of Ingresses: each one host with three paths, TLS on every tenth, twenty Services behind all of them. */
import { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import { X509CertificateGenerator } from '@peculiar/x509';
import { namespace, workload } from '../../gateway/lib/objects.mjs';

const services = 20;
const where = 'estate';

const controllers = { nginx: 'k8s.io/ingress-nginx', fairway: 'fairway.dev/ingress' };

export const ingressClass = (name) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name },
  spec: { controller: controllers[name] },
});

export const hostOf = (n) => `site-${n}.example.com`;
export const isSecured = (n) => n % 10 === 0;

/** `paths` are served besides the three that each has. */
export function ingress(className, n, paths = []) {
  const path = (value, service) => ({
    path: value,
    pathType: 'Prefix',
    backend: { service: { name: `app-${service % services}`, port: { number: 80 } } },
  });
  const host = hostOf(n);
  const annotations = {
    'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': '120',
    'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: `site-${n}`, namespace: where, ...(className === 'nginx' && { annotations }) },
    spec: {
      ingressClassName: className,
      ...(isSecured(n) && { tls: [{ hosts: [host], secretName: `site-${n}-tls` }] }),
      rules: [
        {
          host,
          http: { paths: [path('/', n), path('/api', n + 1), path('/static', n + 2), ...paths.map((p) => path(p, n))] },
        },
      ],
    },
  };
}

async function secretOf(n) {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { notBefore, notAfter } = { notBefore: new Date(Date.now() - 3.6e6), notAfter: new Date(Date.now() + 8.64e8) };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${hostOf(n)}`, keys, notBefore, notAfter, serialNumber: (n + 1).toString(16).padStart(8, '1') },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g).join('\n')}\n-----END PRIVATE KEY-----\n`;
  const data = { 'tls.crt': btoa(certificate.toString('pem')), 'tls.key': btoa(pem) };
  const metadata = { name: `site-${n}-tls`, namespace: where };
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data };
}

export async function estate(className, count) {
  const objects = [namespace(where), ingressClass(className)];
  for (let n = 0; n < services; n++) objects.push(...workload(`app-${n}`, where, []));
  for (let n = 0; n < count; n++) {
    if (isSecured(n)) objects.push(await secretOf(n));
    objects.push(ingress(className, n));
  }
  return objects;
}
