/** Addresses of Services of type LoadBalancer. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { canonicalIp } from '../../base/ip.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import type { LoadBalancerIngress, Service } from '../../kube/types/index.ts';
import type { ClusterConfig } from '../config.ts';
import type { Allotment } from './allotment.ts';
import type { Pool } from './pool.ts';

export interface LoadBalancerIps extends Allotment {
  /** `status.loadBalancer` as it should be. */
  status(service: Service): { status: { ingress?: LoadBalancerIngress[] }; findings: readonly Diagnostic[] };
}

export function createLoadBalancerIps(config: ClusterConfig, pool: Pool<string>): LoadBalancerIps {
  const ownerOf = (key: string) => `Service ${key}`;
  const ours = 'fairway.dev/';
  pool.claim('all Ingresses', config.ingressAddress);

  function wishOf(service: Service): string | undefined {
    const wish = service.spec.loadBalancerIP;
    return wish ? (canonicalIp(wish) ?? wish) : undefined;
  }

  function refusal(service: Service, given: string | undefined): Diagnostic[] {
    const place = { object: refOf(service), fieldPath: 'spec.loadBalancerIP' };
    if (!given) return [diagnostic('FW1511', { message: 'no load balancer address is free', ...place })];
    const wish = wishOf(service);
    if (!wish || wish === given) return [];
    const owner = pool.ownerOf(wish);
    const reason = owner ? `belongs to ${owner}` : 'is not in the load balancer range of this cluster';
    return [diagnostic('FW1504', { message: `${wish} ${reason}; ${given} was assigned`, ...place })];
  }

  function adoption(service: Service): Diagnostic[] {
    const { loadBalancerClass } = service.spec;
    if (!loadBalancerClass || loadBalancerClass.startsWith(ours)) return [];
    const message = `class ${loadBalancerClass} is served by the local cluster`;
    return [diagnostic('FW1505', { message, object: refOf(service), fieldPath: 'spec.loadBalancerClass' })];
  }

  return {
    claim(service) {
      const owner = ownerOf(keyOf(service));
      const wish = wishOf(service);
      if (service.spec.type !== 'LoadBalancer') pool.release(owner);
      else if (wish) pool.claim(owner, wish);
    },
    allocate(service) {
      if (service.spec.type === 'LoadBalancer') pool.allocate(ownerOf(keyOf(service)));
    },
    release: (key) => pool.release(ownerOf(key)),
    status(service) {
      if (service.spec.type !== 'LoadBalancer') return { status: {}, findings: [] };
      const ip = pool.itemOf(ownerOf(keyOf(service)));
      return {
        status: ip ? { ingress: [{ ip, ipMode: 'VIP' }] } : {},
        findings: [...refusal(service, ip), ...adoption(service)],
      };
    },
  };
}
