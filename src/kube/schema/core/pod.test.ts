import { describe, expect, it } from 'vitest';
import type { Unstructured } from '../../types/index.ts';
import { createTestAdmission, make } from '../testing/admit.ts';

const { admit, faultsOf, stored } = createTestAdmission();
const containers = [{ name: 'c', image: 'echo:1' }];
const pod = (spec: unknown) => make('v1', 'Pod', { spec });
const withContainer = (fields: object) => pod({ containers: [{ ...containers[0], ...fields }] });

describe('defaults', () => {
  it('of a Pod', () => {
    const { spec, status } = stored(
      withContainer({ ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } }),
    );
    expect(spec).toEqual({
      containers: [
        {
          name: 'c',
          image: 'echo:1',
          imagePullPolicy: 'IfNotPresent',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          readinessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      securityContext: {},
      enableServiceLinks: true,
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it.each([
    ['echo', 'Always'],
    ['echo:latest', 'Always'],
    ['host:5000/echo', 'Always'],
    ['host:5000/echo:2', 'IfNotPresent'],
    ['echo@sha256:00', 'IfNotPresent'],
  ])('pull policy of %s is %s', (image, policy) => {
    expect(stored(withContainer({ image })).spec).toMatchObject({ containers: [{ imagePullPolicy: policy }] });
  });

  it('of hostNetwork', () => {
    const spec = { hostNetwork: true, containers: [{ ...containers[0], ports: [{ containerPort: 80 }] }] };
    expect(stored(pod(spec)).spec).toMatchObject({ containers: [{ ports: [{ hostPort: 80 }] }] });
  });

  it.each<[object, string]>([
    [{ limits: { cpu: 1, memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: 1, memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ requests: { cpu: '100m' } }, 'Burstable'],
  ])('quality of service of %j is %s', (resources, qosClass) => {
    expect(stored(withContainer({ resources })).status).toMatchObject({ qosClass });
  });
});

describe('status', () => {
  it('that comes with a new Pod is dropped', () => {
    expect(stored({ ...pod({ containers }), status: { phase: 'Running', podIP: '10.0.0.1' } }).status).toEqual({
      phase: 'Pending',
      qosClass: 'BestEffort',
    });
  });

  it('is taken over as a subresource', () => {
    const before = stored(pod({ containers }));
    const running = { ...before, status: { phase: 'Running' } };
    expect(admit(running, before, 'status')).toEqual({ object: running, errors: [], warnings: [] });
  });
});

describe('warnings', () => {
  it('of the hostNetwork trap', () => {
    expect(admit(pod({ containers, hostNetwork: true })).warnings).toEqual([
      expect.stringContaining('ClusterFirstWithHostNet'),
    ]);
    expect(admit(pod({ containers, hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })).warnings).toEqual([]);
  });
});

describe('updates', () => {
  const storedPod = () => stored(pod({ containers }));
  const changed = (change: object): Unstructured => ({
    ...storedPod(),
    spec: { ...(storedPod().spec as object), ...change },
  });

  it.each<[string, object]>([
    ['image', { containers: [{ ...(storedPod().spec as { containers: object[] }).containers[0], image: 'other:2' }] }],
    ['deadline', { activeDeadlineSeconds: 5 }],
    ['tolerations', { tolerations: [{ operator: 'Exists' }] }],
    ['binding', { nodeName: 'node-1' }],
  ])('may change %s', (_, change) => {
    expect(faultsOf(changed(change), storedPod())).toEqual([]);
  });

  it.each<[string, object]>([
    ['hostname', { hostname: 'h' }],
    ['dnsPolicy', { dnsPolicy: 'Default' }],
    ['the containers', { containers: [...containers, { name: 'd', image: 'x' }] }],
  ])('may not change %s', (_, change) => {
    expect(faultsOf(changed(change), storedPod())).toEqual([
      expect.stringMatching(/^spec: Forbidden: pod updates may not change fields other than/),
    ]);
  });

  it('may not move a Pod', () => {
    const bound = stored(pod({ containers, nodeName: 'a' }));
    expect(faultsOf({ ...bound, spec: { ...(bound.spec as object), nodeName: 'b' } }, bound)).toHaveLength(1);
  });
});

const searches = (count: number, length: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(length, 'a'));

describe('DNS: accepted', () => {
  it.each<[object]>([
    [{ dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.1'] } }],
    [{ dnsPolicy: 'Default', dnsConfig: { searches: ['example.com.', 'a_b.c', '.'] } }],
    [
      {
        dnsConfig: {
          nameservers: ['1.1.1.1', '8.8.8.8', '::1'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
    ],
    [{ dnsConfig: { searches: searches(32, 10) } }],
    [{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }],
    [{ hostname: 'mysql-0', subdomain: 'mysql' }],
  ])('%j', (spec) => {
    expect(faultsOf(pod({ containers, ...spec }))).toEqual([]);
  });
});

describe('DNS: refused', () => {
  it.each<[object, string | RegExp]>([
    [
      { dnsPolicy: 'none' },
      'spec.dnsPolicy: Unsupported value: "none": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
    ],
    [{ dnsPolicy: 'None' }, 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    [
      { dnsPolicy: 'None', dnsConfig: { searches: ['a'] } },
      'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
    ],
    [
      { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } },
      /must not have more than 3 nameservers$/,
    ],
    [
      { dnsConfig: { nameservers: ['dns.example.com'] } },
      /^spec\.dnsConfig\.nameservers\[0\]: Invalid value: "dns\.example\.com": must be a valid IP address/,
    ],
    [{ dnsConfig: { searches: searches(33, 5) } }, /must not have more than 32 search paths$/],
    [
      { dnsConfig: { searches: searches(30, 80).map((name) => `${name.slice(0, 40)}.${name.slice(40)}`) } },
      /must not have more than 2048 characters \(including spaces\) in the search list$/,
    ],
    [{ dnsConfig: { searches: ['a..b'] } }, /^spec\.dnsConfig\.searches\[0\]: Invalid value/],
    [{ dnsConfig: { options: [{ value: '2' }] } }, 'spec.dnsConfig.options[0]: Required value: must not be empty'],
    [{ hostname: 'a.b' }, /^spec\.hostname: Invalid value: "a\.b"/],
    [{ subdomain: 'A' }, /^spec\.subdomain: Invalid value: "A"/],
  ])('%j', (spec, message) => {
    expect(faultsOf(pod({ containers, ...spec }))).toEqual([
      message instanceof RegExp ? expect.stringMatching(message) : message,
    ]);
  });
});

describe('refused', () => {
  it.each<[Unstructured, string | RegExp]>([
    [pod(undefined), 'spec: Required value'],
    [pod({}), 'spec.containers: Required value'],
    [pod({ containers: [] }), 'spec.containers: Required value'],
    [pod({ containers: [{ name: 'c' }] }), 'spec.containers[0].image: Required value'],
    [pod({ containers: [{ image: 'a' }] }), 'spec.containers[0].name: Required value'],
    [
      pod({ containers: [{ name: 'C', image: 'a' }] }),
      /^spec\.containers\[0\]\.name: Invalid value: "C": a lowercase RFC 1123 label/,
    ],
    [pod({ containers: [...containers, ...containers] }), 'spec.containers[1].name: Duplicate value: "c"'],
    [pod({ containers, initContainers: containers }), 'spec.initContainers[0].name: Duplicate value: "c"'],
    [
      pod({ containers, restartPolicy: 'Sometimes' }),
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      pod({ containers, terminationGracePeriodSeconds: -1 }),
      'spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      withContainer({ ports: [{ containerPort: 65_536 }] }),
      'spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive',
    ],
    [
      withContainer({ ports: [{ containerPort: 80, name: 'HTTP' }] }),
      /^spec\.containers\[0\]\.ports\[0\]\.name: Invalid value: "HTTP"/,
    ],
    [withContainer({ ports: [{ containerPort: 80, name: '80' }] }), /must contain at least one letter/],
    [
      withContainer({
        ports: [
          { containerPort: 80, name: 'a' },
          { containerPort: 81, name: 'a' },
        ],
      }),
      'spec.containers[0].ports[1].name: Duplicate value: "a"',
    ],
    [
      withContainer({
        ports: [
          { containerPort: 80, hostPort: 1 },
          { containerPort: 81, hostPort: 1 },
        ],
      }),
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//1"',
    ],
    [withContainer({ env: [{ name: '' }] }), 'spec.containers[0].env[0].name: Required value'],
    [withContainer({ env: [{ name: 'a=b' }] }), /^spec\.containers\[0\]\.env\[0\]\.name: Invalid value: "a=b"/],
    [
      withContainer({ env: [{ name: 'a', value: 5 }] }),
      'spec.containers[0].env[0].value: Invalid value: "integer": spec.containers[0].env[0].value in body must be of type string: "integer"',
    ],
    [
      withContainer({ env: [{ name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      withContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      withContainer({ livenessProbe: {} }),
      'spec.containers[0].livenessProbe: Required value: must specify a handler type',
    ],
    [
      withContainer({ livenessProbe: { tcpSocket: { port: 0 } } }),
      'spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      withContainer({ livenessProbe: { tcpSocket: { port: 1 }, exec: {} } }),
      'spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
    ],
    [pod({ containers, volumes: [{ name: 'v' }, { name: 'v' }] }), 'spec.volumes[1].name: Duplicate value: "v"'],
  ])('%j', (object, message) => {
    expect(faultsOf(object)).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message]);
  });
});
