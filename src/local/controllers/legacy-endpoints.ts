/** The Endpoints object (core/v1) of a selector Service: what `kubectl get endpoints` and old clients read. Pure. */
import { blank } from '../../base/blank.ts';
import type { Endpoints, IPFamily, Service, SliceEndpoint, SlicePort } from '../../kube/types/index.ts';
import { isHeadless } from './cluster-ips.ts';
import type { EndpointGroup } from './service-endpoints.ts';

/** As the endpoints controller of a cluster: more addresses are cut off. */
const maxAddresses = 1000;

export const endpointsManagerLabel = 'endpoints.kubernetes.io/managed-by';
export const endpointsManager = 'endpoint-controller';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];

function addressOf({ addresses, hostname, nodeName, targetRef }: SliceEndpoint): Address {
  return {
    ip: addresses[0]!,
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  };
}

function portOf({ name, protocol, port, appProtocol }: SlicePort): NonNullable<Subset['ports']>[number] {
  return { ...blank, ...(name && { name }), port: port!, protocol, ...(appProtocol && { appProtocol }) };
}

function subsetOf(ports: readonly SlicePort[], endpoints: readonly SliceEndpoint[]): Subset {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready).map(addressOf);
  const unready = endpoints.filter(({ conditions }) => !conditions?.ready).map(addressOf);
  return {
    ...blank,
    ...(ready.length > 0 && { addresses: ready }),
    ...(unready.length > 0 && { notReadyAddresses: unready }),
    ...(ports.length > 0 && { ports: ports.map(portOf) }),
  };
}

/** One subset per group of the primary family. Terminating Pods are left out, unless the Service publishes all. */
export function legacyEndpoints(service: Service, groups: readonly EndpointGroup[], family: IPFamily): Endpoints {
  let room = maxAddresses;
  const subsets = groups
    .filter((group) => group.family === family)
    .map(({ ports, endpoints }) => {
      const listed = endpoints
        .filter(({ conditions }) => !conditions?.terminating || service.spec.publishNotReadyAddresses)
        .slice(0, room);
      room -= listed.length;
      return { ports, listed };
    })
    .filter(({ listed }) => listed.length > 0)
    .map(({ ports, listed }) => subsetOf(ports, listed));
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: service.metadata.name,
      namespace: service.metadata.namespace!,
      labels: {
        ...blank,
        ...service.metadata.labels,
        [endpointsManagerLabel]: endpointsManager,
        ...(isHeadless(service.spec) && { 'service.kubernetes.io/headless': '' }),
      },
    },
    subsets,
  };
}
