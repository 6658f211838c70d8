/**
 * A large cluster as its API server would send it: Services and EndpointSlices with everything that real ones carry
 * (managed fields, references, conditions), made from numbers, so that every run has the same.
 */

const zones = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];
const uid = (kind, i) => `${kind}0000000-1111-4222-8333-${String(i).padStart(12, '0')}`;
const time = '2026-03-04T05:06:07Z';

/** Text of an IPv4 address in 10.0.0.0/8 below 10.96/12, from a number. */
export const addressOf = (i) => `10.${(i >> 16) & 63}.${(i >> 8) & 255}.${i & 255}`;

/** How many endpoints each Service has: most have ten, some hundreds, a few thousands. */
export function endpointCounts(services, addresses) {
  const counts = new Array(services).fill(10);
  const large = Math.round(services / 43);
  for (let i = 0; i < large; i++) counts[i * 40] = 210;
  const rest = addresses - counts.reduce((sum, count) => sum + count, 0);
  const giants = Math.max(1, Math.round(services / 820));
  for (let i = 0; i < giants; i++) counts[i * 80 + 1] += Math.floor(rest / giants) + (i < rest % giants ? 1 : 0);
  return counts;
}

const serviceFields = {
  'f:metadata': {
    'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/last-applied-configuration': {} },
    'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {}, 'f:app.kubernetes.io/part-of': {}, 'f:team': {} },
  },
  'f:spec': {
    'f:internalTrafficPolicy': {},
    'f:ports': {
      '.': {},
      'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
      'k:{"port":9090,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
    },
    'f:selector': {},
    'f:sessionAffinity': {},
    'f:type': {},
  },
};

const sliceFields = {
  'f:addressType': {},
  'f:endpoints': {},
  'f:metadata': {
    'f:annotations': { '.': {}, 'f:endpoints.kubernetes.io/last-change-trigger-time': {} },
    'f:generateName': {},
    'f:labels': {
      '.': {},
      'f:app.kubernetes.io/name': {},
      'f:endpointslice.kubernetes.io/managed-by': {},
      'f:kubernetes.io/service-name': {},
    },
    'f:ownerReferences': { '.': {}, 'k:{"uid":"s0000000-1111-4222-8333-000000000000"}': {} },
  },
  'f:ports': {},
};

const managed = (manager, fieldsV1) => [
  { manager, operation: 'Update', apiVersion: 'v1', time, fieldsType: 'FieldsV1', fieldsV1 },
];

export const nameOf = (i) => ({ namespace: `team-${i % 100}`, name: `service-${i}` });

/** The `i`-th Service; every second one is headless. */
export function serviceOf(i, resourceVersion) {
  const { namespace, name } = nameOf(i);
  const clusterIP = i % 2 === 0 ? `10.96.${i >> 8}.${i & 255}` : 'None';
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': `product-${i % 50}`, team: namespace };
  const ports = [
    { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
    { name: 'metrics', protocol: 'TCP', port: 9090, targetPort: 'metrics' },
  ];
  const spec = { type: 'ClusterIP', selector: { 'app.kubernetes.io/name': name }, ports };
  const applied = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec });
  return {
    metadata: {
      ...{ name, namespace, uid: uid('s', i), resourceVersion, creationTimestamp: time, labels },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${applied}\n` },
      managedFields: managed('kubectl-client-side-apply', serviceFields),
    },
    spec: {
      ...spec,
      ...{ clusterIP, clusterIPs: [clusterIP], internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'] },
      ...{ ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None' },
    },
    status: { loadBalancer: {} },
  };
}

function endpointOf(namespace, name, number) {
  return {
    addresses: [addressOf(number)],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: `ip-10-200-${(number >> 6) & 31}-${number & 63}.eu-west-1.compute.internal`,
    targetRef: {
      ...{ kind: 'Pod', namespace, name: `${name}-7d9c5b8f6d-${number.toString(36).padStart(5, 'x')}` },
      uid: uid('p', number),
    },
    zone: zones[number % 3],
  };
}

/** The slices of the `i`-th Service: `count` endpoints from number `first` on, a hundred to a slice. */
export function slicesOf(i, first, count, resourceVersion) {
  const { namespace, name } = nameOf(i);
  const slices = [];
  for (let start = 0; start < count; start += 100) {
    const numbers = Array.from({ length: Math.min(100, count - start) }, (_, k) => first + start + k);
    slices.push({
      metadata: {
        ...{ name: `${name}-${start / 100}bcdf`, generateName: `${name}-`, namespace, uid: uid('e', i * 100 + start) },
        ...{ resourceVersion, generation: 7, creationTimestamp: time },
        labels: {
          'app.kubernetes.io/name': name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          'kubernetes.io/service-name': name,
        },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Service', name, uid: uid('s', i), controller: true, blockOwnerDeletion: true },
        ],
        managedFields: managed('kube-controller-manager', sliceFields),
      },
      addressType: 'IPv4',
      endpoints: numbers.map((number) => endpointOf(namespace, name, number)),
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: 'metrics', port: 9090, protocol: 'TCP' },
      ],
    });
  }
  return slices;
}
