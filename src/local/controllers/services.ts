/**
 * Addresses of Services: ClusterIPs of one or two families, node ports, load balancer addresses. An address that a
 * Service asks for and cannot have is replaced by one derived from its name, with a finding: manifests exported from
 * another cluster work.
 */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { Change } from '../../kube/store/store.ts';
import type { Service, ServiceSpec } from '../../kube/types/index.ts';
import type { Allotment } from './allotment.ts';
import { createClusterIps } from './cluster-ips.ts';
import type { ControllerContext } from './context.ts';
import { createLoadBalancerIps } from './load-balancer-ips.ts';
import { createNodePorts } from './node-ports.ts';
import type { Pool } from './pool.ts';

export function createServiceController(ctx: ControllerContext, loadBalancers: Pool<string>): Reconciler {
  const clusterIps = createClusterIps(ctx.config);
  const nodePorts = createNodePorts(ctx.config);
  const balancerIps = createLoadBalancerIps(ctx.config, loadBalancers);
  const allotments: readonly Allotment[] = [clusterIps, nodePorts, balancerIps];
  const pending = new Set<string>();
  const refusals = new Map<string, { spec: ServiceSpec; found: readonly Diagnostic[] }>();

  function allotPending(): void {
    const services = [...pending].sort().flatMap((key) => ctx.store.get<Service>('services', key) ?? []);
    for (const key of pending)
      if (!ctx.store.get('services', key)) for (const allotment of allotments) allotment.release(key);
    pending.clear();
    for (const service of services) for (const allotment of allotments) allotment.claim(service);
    for (const service of services) for (const allotment of allotments) allotment.allocate(service);
  }

  function reconcile(key: string): void {
    if (pending.size > 0) allotPending();
    const service = ctx.store.get<Service>('services', key);
    if (!service) refusals.delete(key);
    if (!service || service.metadata.deletionTimestamp) return;
    const addressed = clusterIps.apply(service, service.spec);
    const ported = nodePorts.apply(service, addressed.spec);
    const balanced = balancerIps.status(service);
    const refused = remember(key, service.spec, ported.spec, [...addressed.findings, ...ported.findings]);
    ctx.findings.set('addresses', refOf(service), [...refused, ...balanced.findings]);
    const updated = writeSpec(service, ported.spec);
    if (!equalJson(balanced.status, updated.status?.loadBalancer ?? {}))
      ctx.write.updateStatus<Service>({ ...updated, status: { ...updated.status, loadBalancer: balanced.status } });
  }

  /** In the store itself: allocators are a part of an API server, behind the validation of what its clients write. */
  const writeSpec = (service: Service, spec: ServiceSpec): Service =>
    equalJson(spec, service.spec) ? service : ctx.store.put('services', { ...service, spec });

  /** Once an address is replaced, the stored spec no longer says what was asked for: the finding is kept here. */
  function remember(key: string, spec: ServiceSpec, written: ServiceSpec, found: readonly Diagnostic[]) {
    const before = refusals.get(key);
    if (found.length === 0 && before && equalJson(before.spec, spec)) return before.found;
    refusals.delete(key);
    if (found.length > 0) refusals.set(key, { spec: written, found });
    return found;
  }

  function note(change: Change): string[] {
    const key = keyOf(change.object);
    pending.add(key);
    return [key];
  }

  return createReconciler({
    store: ctx.store,
    watch: { services: note },
    reconcile,
    ignoreOwnWrites: true,
    onError: ctx.onError,
  });
}
