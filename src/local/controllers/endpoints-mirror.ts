/**
 * Mirrors hand-written Endpoints of Services without a selector into EndpointSlices, so that everyone else needs to
 * read slices only (kube-controller-manager's endpointslicemirroring controller).
 */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { canonicalIp, parseIp } from '../../base/ip.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import {
  type EndpointSlice,
  type Endpoints,
  type IPFamily,
  managedByLabel,
  type Service,
  type SliceEndpoint,
  serviceNameLabel,
} from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { slicesOf, slicesResource } from './indexes.ts';
import { endpointsManager, endpointsManagerLabel } from './legacy-endpoints.ts';
import type { EndpointGroup } from './service-endpoints.ts';
import { layOut, writeSlices } from './slice-layout.ts';
import { controllerReference } from './workload-pods.ts';

const mirrorManager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
/** As the controller of a cluster: more addresses of a subset are not mirrored. */
const maxPerSubset = 1000;

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];

const isOurs = (slice: EndpointSlice) => slice.metadata.labels?.[managedByLabel] === mirrorManager;

function isMirrored(endpoints: Endpoints, service: Service | undefined): boolean {
  const { labels, annotations } = endpoints.metadata;
  if (labels?.[skipLabel] === 'true' || labels?.[endpointsManagerLabel] === endpointsManager) return false;
  if (annotations && leaderAnnotation in annotations) return false;
  return service !== undefined && Object.keys(service.spec.selector ?? {}).length === 0;
}

function endpointFrom(address: Address, ready: boolean): SliceEndpoint {
  const { hostname, nodeName, targetRef } = address;
  return {
    addresses: [canonicalIp(address.ip)!],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  };
}

function groupsOf(subset: Subset): EndpointGroup[] {
  const listed = [
    ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
    ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
  ].slice(0, maxPerSubset);
  const ports = (subset.ports ?? []).map(({ name, protocol, port, appProtocol }) => ({
    name: name ?? '',
    protocol: protocol ?? 'TCP',
    port,
    ...(appProtocol && { appProtocol }),
  }));
  const families: readonly [IPFamily, number][] = [
    ['IPv4', 4],
    ['IPv6', 6],
  ];
  return families.flatMap(([family, version]) => {
    const members = listed.filter(({ address }) => parseIp(address.ip)?.version === version);
    if (members.length === 0) return [];
    return [{ family, ports, endpoints: members.map(({ address, ready }) => endpointFrom(address, ready)) }];
  });
}

/** Subsets with the same ports become one group, as slices are found again by their ports. */
function merged(groups: readonly EndpointGroup[]): EndpointGroup[] {
  const byPorts = new Map<string, EndpointGroup>();
  for (const group of groups) {
    const id = `${group.family} ${JSON.stringify(group.ports)}`;
    const found = byPorts.get(id);
    byPorts.set(id, found ? { ...found, endpoints: [...found.endpoints, ...group.endpoints] } : group);
  }
  return [...byPorts.values()];
}

export function createEndpointsMirror(ctx: ControllerContext): Reconciler {
  function reportUnreadable(endpoints: Endpoints): void {
    const found = (endpoints.subsets ?? []).flatMap((subset, index) =>
      [...(subset.addresses ?? []), ...(subset.notReadyAddresses ?? [])]
        .filter(({ ip }) => !parseIp(ip))
        .map(({ ip }) =>
          diagnostic('FW1514', {
            message: `${JSON.stringify(ip)} is not an IP address`,
            object: refOf(endpoints),
            fieldPath: `subsets[${index}].addresses`,
          }),
        ),
    );
    ctx.findings.set('mirror', refOf(endpoints), found);
  }

  function wantedSlices(endpoints: Endpoints, present: readonly EndpointSlice[]): EndpointSlice[] {
    const { labels, annotations = {}, name, namespace } = endpoints.metadata;
    const copied = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== lastApplied));
    const metadata = {
      labels: { ...labels, [managedByLabel]: mirrorManager, [serviceNameLabel]: name },
      ...(Object.keys(copied).length > 0 && { annotations: copied }),
      ownerReferences: [controllerReference(endpoints)],
    };
    const isTaken = (slice: string) => {
      const holder = ctx.store.get<EndpointSlice>(slicesResource, `${namespace}/${slice}`);
      return holder !== undefined && !present.includes(holder);
    };
    const groups = merged((endpoints.subsets ?? []).flatMap(groupsOf));
    return layOut({ service: endpoints, groups, present, metadata, isTaken });
  }

  function reconcile(key: string): void {
    const endpoints = ctx.store.get<Endpoints>('endpoints', key);
    const present = slicesOf(ctx.store, key).filter(isOurs);
    const mirrored = endpoints && isMirrored(endpoints, ctx.store.get<Service>('services', key));
    if (mirrored) reportUnreadable(endpoints);
    const wanted = mirrored ? wantedSlices(endpoints, present) : [];
    if (endpoints || present.length > 0) writeSlices(ctx, endpoints ?? present[0]!, wanted, present);
  }

  const ofObject = (change: Change) => [keyOf(change.object)];
  return createReconciler({
    store: ctx.store,
    watch: {
      endpoints: ofObject,
      services: (change) => (ctx.store.get('endpoints', keyOf(change.object)) ? ofObject(change) : []),
      [slicesResource](change) {
        const slice = (change.previous ?? change.object) as EndpointSlice;
        const service = slice.metadata.labels?.[serviceNameLabel];
        return service && isOurs(slice) ? [`${slice.metadata.namespace}/${service}`] : [];
      },
    },
    reconcile,
    ignoreOwnWrites: true,
    onError: ctx.onError,
  });
}
