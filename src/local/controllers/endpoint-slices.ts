/** EndpointSlices and the legacy Endpoints of Services with a selector (or with a backend of `--backend`). */
import { keyOf } from '../../kube/resources.ts';
import { matchesServiceSelector } from '../../kube/selectors.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import {
  type EndpointSlice,
  managedByLabel,
  type Pod,
  type Service,
  serviceNameLabel,
} from '../../kube/types/index.ts';
import { type BackendOverride, overrideFault, overrideKey, reportOverrides } from './backend-overrides.ts';
import { familiesOf, isHeadless } from './cluster-ips.ts';
import type { ControllerContext } from './context.ts';
import { compareText, podsSelectedBy, slicesOf, slicesResource } from './indexes.ts';
import { endpointsManager, endpointsManagerLabel, legacyEndpoints } from './legacy-endpoints.ts';
import { createSelectorIndexes } from './selector-index.ts';
import { type EndpointGroup, endpointGroups } from './service-endpoints.ts';
import { layOut, writeSlices } from './slice-layout.ts';
import { controllerReference, isTakenUp } from './workload-pods.ts';

const sliceManager = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';
const zoneLabel = 'topology.kubernetes.io/zone';
const reserved = new Set([managedByLabel, serviceNameLabel, headlessLabel]);

/** Labels of a Service go over to its slices, but for those that the slices need themselves. */
function sliceLabels(service: Service): Record<string, string> {
  const inherited = Object.entries(service.metadata.labels ?? {}).filter(([key]) => !reserved.has(key));
  return {
    ...Object.fromEntries(inherited),
    [managedByLabel]: sliceManager,
    [serviceNameLabel]: service.metadata.name,
    ...(isHeadless(service.spec) && { [headlessLabel]: '' }),
  };
}

const isOurs = (slice: EndpointSlice) => slice.metadata.labels?.[managedByLabel] === sliceManager;
const hasSelector = (service: Service) => Object.keys(service.spec.selector ?? {}).length > 0;

export function createEndpointSliceController(
  ctx: ControllerContext,
  overrides: readonly BackendOverride[],
): Reconciler {
  const selectors = createSelectorIndexes();
  const overridesOf = new Map<string, BackendOverride[]>();
  for (const override of overrides)
    overridesOf.set(overrideKey(override), [...(overridesOf.get(overrideKey(override)) ?? []), override]);
  const deleted = new Set<string>();
  /** Set while this controller writes, so that it does not answer itself. */

  const zoneOf = (nodeName: string) => ctx.store.get('nodes', nodeName)?.metadata.labels?.[zoneLabel];

  /** New Pods are about to have a status, and the Service has no slices that would have to be put right meanwhile. */
  function isTooEarly(service: Service, pods: readonly Pod[]): boolean {
    return !pods.every(isTakenUp) && !slicesOf(ctx.store, keyOf(service)).some(isOurs);
  }

  function groupsOf(service: Service, pods: readonly Pod[]): EndpointGroup[] {
    return endpointGroups({
      service,
      pods,
      families: familiesOf(service.spec),
      overrides: (overridesOf.get(keyOf(service)) ?? []).filter((override) => !overrideFault(override, service)),
      nodeName: ctx.config.nodeName,
      zoneOf,
    });
  }

  function reconcileSlices(service: Service, groups: readonly EndpointGroup[]): void {
    const present = slicesOf(ctx.store, keyOf(service)).filter(isOurs);
    const metadata = { labels: sliceLabels(service), ownerReferences: [controllerReference(service)] };
    const isTaken = (name: string) => {
      const holder = ctx.store.get<EndpointSlice>(slicesResource, `${service.metadata.namespace}/${name}`);
      return holder !== undefined && !present.includes(holder);
    };
    writeSlices(ctx, service, layOut({ service, groups, present, metadata, isTaken }), present);
  }

  function reconcileLegacy(service: Service, groups: readonly EndpointGroup[]): void {
    const wanted = legacyEndpoints(service, groups, familiesOf(service.spec)[0]!);
    const old = ctx.store.get('endpoints', keyOf(service));
    if (!old) ctx.write.create(wanted, service);
    else ctx.write.update({ ...wanted, metadata: { ...old.metadata, labels: wanted.metadata.labels } });
  }

  function clearSlices(key: string): void {
    for (const slice of slicesOf(ctx.store, key).filter(isOurs)) ctx.write.remove(slicesResource, slice);
  }

  function clearLegacy(key: string, whoeverWroteIt: boolean): void {
    const endpoints = ctx.store.get('endpoints', key);
    const ours = endpoints?.metadata.labels?.[endpointsManagerLabel] === endpointsManager;
    if (endpoints && (ours || whoeverWroteIt)) ctx.write.remove('endpoints', endpoints);
  }

  function reconcile(key: string): void {
    const service = ctx.store.get<Service>('services', key);
    const own = overridesOf.get(key) ?? [];
    if (own.length > 0) reportOverrides(ctx, key, own, service);
    // The Endpoints of a Service go with it even when written by hand, as in a cluster.
    if (!service || service.spec.type === 'ExternalName') {
      clearLegacy(key, !service && deleted.delete(key));
      clearSlices(key);
      return;
    }
    const pods = podsSelectedBy(ctx.store, service.metadata.namespace!, service.spec.selector);
    if (isTooEarly(service, pods)) return;
    const groups = groupsOf(service, pods);
    reconcileSlices(service, groups);
    if (hasSelector(service)) reconcileLegacy(service, groups);
    else clearLegacy(key, false);
  }

  function noteService(change: Change): string[] {
    const key = keyOf(change.object);
    const service = change.object as Service;
    const index = selectors(service.metadata.namespace!);
    if (change.type === 'DELETED') deleted.add(key);
    else deleted.delete(key);
    if (change.type === 'DELETED' || !hasSelector(service)) index.delete(key);
    else index.set(key, service.spec.selector);
    return [key];
  }

  function notePod(change: Change): string[] {
    const [pod, previous] = [change.object as Pod, change.previous as Pod | undefined];
    const relabelled = previous !== undefined && previous.metadata.labels !== pod.metadata.labels;
    if (!isTakenUp(pod) && !relabelled && change.type !== 'DELETED') return [];
    const index = selectors(pod.metadata.namespace!);
    const labelled = relabelled ? [pod, previous] : [pod];
    return labelled.flatMap(({ metadata }) =>
      index.candidates(metadata.labels).filter((key) => {
        const service = ctx.store.get<Service>('services', key);
        return matchesServiceSelector(service?.spec.selector, metadata.labels);
      }),
    );
  }

  /** Somebody else touched a slice of ours: it is put right. */
  function noteSlice(change: Change): string[] {
    if (!isOurs((change.previous ?? change.object) as EndpointSlice)) return [];
    const service = (change.previous ?? change.object).metadata.labels?.[serviceNameLabel];
    return service ? [`${change.object.metadata.namespace}/${service}`] : [];
  }

  function noteEndpoints(change: Change): string[] {
    const key = keyOf(change.object);
    const service = ctx.store.get<Service>('services', key);
    return service && hasSelector(service) ? [key] : [];
  }

  function noteNode(change: Change): string[] {
    const zone = change.object.metadata.labels?.[zoneLabel];
    if (zone === change.previous?.metadata.labels?.[zoneLabel]) return [];
    return ctx.store.list('services').map(keyOf).sort(compareText);
  }

  const reconciler = createReconciler({
    store: ctx.store,
    watch: {
      services: noteService,
      pods: notePod,
      nodes: noteNode,
      [slicesResource]: noteSlice,
      endpoints: noteEndpoints,
    },
    reconcile,
    ignoreOwnWrites: true,
    onError: ctx.onError,
  });
  for (const key of overridesOf.keys()) reconciler.enqueue(key);
  return reconciler;
}
