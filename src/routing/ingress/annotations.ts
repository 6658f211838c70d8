/** Annotations of other Ingress controllers: they change nothing here, and nobody should have to find that out alone. */
import type { Ingress } from '../../kube/types/index.ts';
import type { Dialect } from '../route-policy/policy.ts';
import { type Context, shortList } from './context.ts';

/** By the prefix of the key (what stands before the slash). */
const vendors: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'nginx.ingress.kubernetes.io': 'ingress-nginx',
    'ingress.kubernetes.io': 'ingress-nginx (old prefix)',
    'nginx.org': 'F5 NGINX',
    'nginx.com': 'F5 NGINX',
    'appprotect.f5.com': 'F5 NGINX',
    'traefik.ingress.kubernetes.io': 'Traefik',
    'haproxy.org': 'HAProxy',
    'ingress.haproxy.org': 'HAProxy',
    'haproxy-ingress.github.io': 'HAProxy Ingress',
    'alb.ingress.kubernetes.io': 'AWS Load Balancer Controller',
    'appgw.ingress.kubernetes.io': 'Azure Application Gateway',
    'networking.gke.io': 'GKE Ingress',
    'ingress.gcp.kubernetes.io': 'GKE Ingress',
    'konghq.com': 'Kong',
    'projectcontour.io': 'Contour',
    'getambassador.io': 'Emissary',
    'k8s.apisix.apache.org': 'APISIX',
    'higress.io': 'Higress',
    'ingress.cilium.io': 'Cilium',
    'ingress.citrix.com': 'NetScaler',
    'route.openshift.io': 'OpenShift',
  }),
);

/** Names of annotations that keep requests out: without them, more is let in than their author meant. */
const guards = /auth|allowlist|whitelist|denylist|blacklist|limit|waf|modsecurity|jwt|source-range|inbound-cidrs/;

/** Whose annotations are not foreign. */
const own: Readonly<Record<Dialect, string | undefined>> = {
  fairway: undefined,
  'ingress-nginx': 'ingress-nginx',
};

/** Reports them in one finding per Ingress. */
export function reportForeignAnnotations(context: Context, ingress: Ingress, dialect: Dialect): void {
  const found = new Map<string, string[]>();
  for (const key of Object.keys(ingress.metadata.annotations ?? {}).sort()) {
    const vendor = vendors.get(key.slice(0, Math.max(0, key.indexOf('/'))));
    if (vendor !== undefined && vendor !== own[dialect]) found.set(vendor, [...(found.get(vendor) ?? []), key]);
  }
  if (found.size === 0) return;
  const message = [...found].map(([vendor, keys]) => `${vendor}: ${shortList(keys, 20)}`).join('; ');
  const guarding = [...found.values()].flat().filter((key) => guards.test(key));
  const hint =
    guarding.length > 0
      ? `Requests are not held back by ${shortList(guarding)}: do not rely on them here. The Ingress is served by its spec alone.`
      : undefined;
  context.report('FW2040', ingress, 'metadata.annotations', message, hint === undefined ? {} : { hint });
}
