/** Small builders of Services and EndpointSlices for tests. */
import type { EndpointSlice, Service, ServiceSpec, SliceEndpoint, SlicePort } from '../kube/types/index.ts';
import { serviceNameLabel } from '../kube/types/index.ts';

export function service(name: string, spec: ServiceSpec, status?: Service['status']): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name },
    spec,
    ...(status && { status }),
  };
}

export function slice(
  serviceName: string,
  endpoints: (string | SliceEndpoint)[],
  ports: SlicePort[],
  fields: Partial<Pick<EndpointSlice, 'addressType'>> & { name?: string } = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'shop',
      name: fields.name ?? `${serviceName}-1`,
      labels: { [serviceNameLabel]: serviceName },
    },
    addressType: fields.addressType ?? 'IPv4',
    endpoints: endpoints.map((entry) => (typeof entry === 'string' ? { addresses: [entry] } : entry)),
    ports,
  };
}
