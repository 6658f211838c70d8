/** The estate of examples/ingress-nginx, and Ingresses beside it that go wrong in all ways: for the tests of insight. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../base/package-root.ts';

export const estate = join(packageRoot, 'examples/ingress-nginx');

const text = String.raw`# Refused, and what it is there for stays shut.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: digest
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-type: digest
    nginx.ingress.kubernetes.io/auth-secret: users
spec:
  ingressClassName: nginx
  rules:
    - host: digest.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /in, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: wrong
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: huge
    nginx.ingress.kubernetes.io/proxy-bodysize: 1m
    nginx.ingress.kubernetes.io/auth-ulr: http://auth.shop.svc.cluster.local/
spec:
  ingressClassName: nginx
  rules:
    - host: wrong.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: scripted
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/configuration-snippet: |
      more_set_headers "X-A: b";
      access_by_lua_block { ngx.exit(403) }
spec:
  ingressClassName: nginx
  rules:
    - host: scripted.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
# Younger than \`api\`, and wants its path.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: late
  namespace: shop
  creationTimestamp: "2030-01-01T00:00:00Z"
spec:
  ingressClassName: nginx
  rules:
    - host: api.example.com
      http:
        paths:
          - {path: '/api(/|$)(.*)', pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /plain, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: firewall
  namespace: tools
  annotations:
    nginx.ingress.kubernetes.io/enable-modsecurity: "true"
spec:
  ingressClassName: nginx
  rules:
    - host: firewall.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: chat, port: {number: 80}}}}
---
# Patterns for all of the host, because of one path; written in capitals.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: patterns
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/rewrite-target: /new/$1?from=$2
    nginx.ingress.kubernetes.io/upstream-vhost: inner.example
spec:
  ingressClassName: nginx
  rules:
    - host: patterns.example.com
      http:
        paths:
          - {path: '/old/(\w+)/(.*)', pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: beside, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: patterns.example.com
      http:
        paths:
          - {path: /Health, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
---
# An address list that lets this machine out, and a default backend for what has no Pod.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: office
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8
spec:
  ingressClassName: nginx
  rules:
    - host: office.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: empty
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/default-backend: errors
spec:
  ingressClassName: nginx
  rules:
    - host: empty.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: shop}
spec: {selector: {app: nobody}, ports: [{port: 80, targetPort: 8080}]}
`;

/** A file of its own with the Ingresses that go wrong. */
export function worseFile(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'worse-')), 'worse.yaml');
  writeFileSync(path, text);
  return path;
}
