/** Admission of any JSON at all: faults, never exceptions, and nothing changed in place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiVersionOf } from '../resources.ts';
import type { Unstructured } from '../types/index.ts';
import { createTestAdmission, make } from './testing/admit.ts';
import { gatewayExamples } from './testing/gateway-examples.ts';
import { put } from './testing/put.ts';

const { registry, admit } = createTestAdmission();

describe('any JSON', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('None', 'ClusterIP', '10.0.0.1', '__proto__', 'constructor'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      text,
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  }));
  /** Deep mutations of objects that are almost right reach more code than noise does. */
  const seeds: Record<string, object> = {
    Pod: {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            ports: [{ containerPort: 1, name: 'a' }],
            env: [{ name: 'a', valueFrom: {} }],
            livenessProbe: { httpGet: { port: 1 } },
            volumeMounts: [{ name: 'v', mountPath: '/' }],
          },
        ],
        volumes: [{ name: 'v' }],
        dnsConfig: { nameservers: ['::1'], searches: ['a'], options: [{ name: 'n' }] },
        hostAliases: [{ ip: '::1', hostnames: ['a'] }],
        readinessGates: [{ conditionType: 'a' }],
      },
    },
    Service: {
      spec: {
        type: 'LoadBalancer',
        selector: { a: 'b' },
        ports: [{ name: 'a', port: 1, targetPort: 'b', nodePort: 3 }],
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ipFamilies: ['IPv4'],
        externalIPs: ['::1'],
        loadBalancerSourceRanges: ['::/0'],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } },
      },
    },
    Ingress: {
      spec: {
        ingressClassName: 'a',
        defaultBackend: { resource: { kind: 'a', name: 'b' } },
        rules: [
          {
            host: '*.a',
            http: {
              paths: [{ path: '/', pathType: 'Exact', backend: { service: { name: 'a', port: { number: 1 } } } }],
            },
          },
        ],
        tls: [{ hosts: ['a'], secretName: 'b' }],
      },
    },
    IngressClass: {
      spec: { controller: 'a.b/c', parameters: { kind: 'a', name: 'b', scope: 'Namespace', namespace: 'c' } },
    },
    Secret: { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' }, stringData: { a: 'b' } },
    ConfigMap: { data: { a: 'b' }, binaryData: { c: '' } },
    EndpointSlice: {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], hints: { forZones: [{ name: 'a' }] } }],
      ports: [{ name: 'a', port: 1 }],
    },
    Endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }] }] },
  };
  const template = { metadata: { labels: { a: 'b' } }, ...seeds.Pod };
  const workloadSeed = {
    spec: {
      selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
      template,
      strategy: { rollingUpdate: { maxSurge: 1 } },
      updateStrategy: { rollingUpdate: { partition: 1 } },
    },
  };
  for (const kind of ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']) seeds[kind] = workloadSeed;
  seeds.CustomResourceDefinition = {
    spec: {
      group: 'acme.io',
      scope: 'Cluster',
      names: { plural: 'xs', kind: 'X', shortNames: ['y'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } } },
          },
        },
      ],
    },
  };
  seeds.Job = { spec: { template } };
  seeds.CronJob = { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } };

  function pathsOf(node: unknown, path: string[] = []): string[][] {
    if (typeof node !== 'object' || node === null) return [];
    return Object.keys(node).flatMap((key) => [
      [...path, key],
      ...pathsOf((node as Record<string, unknown>)[key], [...path, key]),
    ]);
  }

  it.each(registry.all().map((resource) => [resource.kind, resource] as const))(
    'of kind %s never throws',
    (_, resource) => {
      const seed = resource.custom
        ? gatewayExamples.find(({ kind }) => kind === resource.kind)!
        : (seeds[resource.kind] ?? {});
      const paths = pathsOf({ metadata: { name: 'x', labels: { a: 'b' }, ownerReferences: [{}] }, ...seed }).filter(
        ([head]) => head !== 'apiVersion' && head !== 'kind',
      );
      const object = fc
        .tuple(
          fc.array(fc.tuple(fc.constantFrom(...paths), value), { maxLength: 3 }),
          fc.option(fc.dictionary(text, value, { maxKeys: 3 }), { nil: undefined, freq: 4 }),
        )
        .map(([changes, noise]) => {
          const result = structuredClone({
            ...make(apiVersionOf(resource), resource.kind, {}),
            ...seed,
            metadata: { name: 'x', namespace: 'default', labels: { a: 'b' } },
          });
          for (const [path, replacement] of changes) put(result, path, replacement);
          if (noise) put(result, ['spec'], noise);
          return result as Unstructured;
        });
      const good = admit(
        structuredClone({
          ...make(apiVersionOf(resource), resource.kind, {}),
          ...seed,
          metadata: { name: 'x', namespace: 'default' },
        }) as Unstructured,
      ).object;
      fc.assert(
        fc.property(object, (given) => {
          const before = JSON.stringify(given);
          for (const previous of [undefined, good])
            for (const { field, message } of admit(given, previous).errors)
              expect([typeof field, typeof message]).toEqual(['string', 'string']);
          expect(JSON.stringify(given)).toBe(before);
        }),
        { numRuns: 60 },
      );
    },
  );
});
