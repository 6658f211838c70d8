/** A location of ingress-nginx in the words of nginx: how it is looked for, and which Ingresses have made it so. */
import { formatRef, type ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import { readNginxAnnotations } from '../../routing/ingress-nginx/annotations/read.ts';
import { isNginxKey, type NginxKey, nginxPrefix, rowOf } from '../../routing/ingress-nginx/annotations/table.ts';
import type { Filter, Route, VirtualHost } from '../../routing/plan/plan.ts';
import type { World } from '../world.ts';
import { ingressOf, inOrderOfNginx, isNginxHost, nginxIngresses, writtenPath } from './estate.ts';

const isPattern = ({ match }: Route) => match.path?.type === 'regex';

/** `location ~* "^/api(/|$)(.*)"`, `location = /health`, `location /`. */
export function locationText(world: World, route: Route): string {
  const { path } = route.match;
  if (!path) return 'every path';
  if (isPattern(route)) return `location ~* "^${writtenPath(world, route)}"`;
  return path.type === 'exact' ? `location = ${path.value}` : `location ${path.value}`;
}

/** What puts all paths of its host among the patterns; undefined for an Ingress that does not. */
function patternKey(path: string, ingress: Ingress): NginxKey | undefined {
  const { asked } = readNginxAnnotations(ingress);
  if (asked['use-regex'] === true) return 'use-regex';
  const target = asked['rewrite-target'];
  return target !== undefined && target !== path ? 'rewrite-target' : undefined;
}

/** The Ingresses, each with its annotation, that make patterns of all paths of a host. */
function patternOwners(world: World, { routes }: VirtualHost): string[] {
  const found = routes.flatMap((route) => {
    const ingress = ingressOf(world, route);
    const key = ingress && patternKey(writtenPath(world, route), ingress);
    return ingress && key ? [`${key} of ${formatRef(refOf(ingress))}`] : [];
  });
  return [...new Set(found)];
}

/** Ingresses with a rule for a host, canaries left out, in the order in which ingress-nginx hears them. */
function membersOf(world: World, hostname: string): Ingress[] {
  const named = nginxIngresses(world).filter(({ spec }) =>
    hostname === '*'
      ? spec.rules?.some(({ host }) => !host) || (spec.defaultBackend && !spec.rules?.length)
      : spec.rules?.some(({ host }) => host?.toLowerCase() === hostname),
  );
  return inOrderOfNginx(named).filter((ingress) => readNginxAnnotations(ingress).asked.canary !== true);
}

/** Annotations that hold for all of a host: whose they are, and who asks for them without effect. */
function serverSettings(world: World, hostname: string): string[] {
  const members = membersOf(world, hostname);
  const keys = new Map<NginxKey, Ingress[]>();
  for (const ingress of members) {
    for (const name of Object.keys(ingress.metadata.annotations ?? {}).sort()) {
      const key = name.startsWith(nginxPrefix) ? name.slice(nginxPrefix.length) : '';
      if (!isNginxKey(key) || rowOf(key).scope !== 'server' || ofPatterns.includes(key)) continue;
      keys.set(key, [...(keys.get(key) ?? []), ingress]);
    }
  }
  const byOwner = new Map<string, NginxKey[]>();
  for (const [key, owners] of keys) {
    const [owner, ...late] = owners.map((ingress) => formatRef(refOf(ingress)));
    const whose = late.length > 0 ? `${owner}; without effect of ${late.join(', ')}` : owner!;
    byOwner.set(whose, [...(byOwner.get(whose) ?? []), key]);
  }
  return [...byOwner].map(([whose, all]) => `for all of ${hostname}: ${all.join(', ')} of ${whose}`);
}

/** What asks for a filter. */
const askers: { readonly [T in Filter['type']]?: readonly NginxKey[] } = {
  'ip-access': ['allowlist-source-range', 'whitelist-source-range', 'denylist-source-range'],
  'any-of': ['satisfy'],
  'basic-auth': ['auth-type', 'auth-secret'],
  'request-size': ['proxy-body-size'],
  respond: ['configuration-snippet', 'server-snippet', 'auth-tls-match-cn'],
};

/** `auth-type, auth-secret of Ingress tools/grafana`; '' where the object has no annotation that asks for the filter. */
export function annotationsOf({ store }: World, object: ObjectRef | undefined, { type }: Filter): string {
  if (object?.kind !== 'Ingress') return '';
  const ingress = store.get<Ingress>('ingresses.networking.k8s.io', `${object.namespace}/${object.name}`);
  const found = askers[type]?.filter((key) => ingress?.metadata.annotations?.[`${nginxPrefix}${key}`] !== undefined);
  return found?.length ? `${found.join(', ')} of ${formatRef(object)}` : '';
}

/** Said with the locations themselves. */
const ofPatterns: readonly NginxKey[] = ['use-regex', 'rewrite-target'];

/** Details of the step that finds the route; none for hosts of other dialects. */
export function locationDetails(world: World, host: VirtualHost, route: Route): string[] {
  if (!isNginxHost(host)) return [];
  const alias = host.sources.find(({ fieldPath }) => fieldPath?.endsWith('/server-alias"]'));
  const server = (alias && ingressOf(world, { source: alias })?.spec.rules?.[0]?.host) ?? host.hostname;
  const owners = isPattern(route) ? patternOwners(world, host) : [];
  const pattern = `all paths of ${server} are patterns, in any case of letters and open at their ends: ${owners.join(', ')}`;
  return [
    ...(alias ? [`${host.hostname} is an alias of ${server}: server-alias of ${formatRef(alias.object)}`] : []),
    ...(isPattern(route) ? [pattern] : []),
    ...serverSettings(world, server),
  ];
}

/** Why the first of two locations is tried before the other. */
export function locationPrecedence(world: World, first: Route, second: Route): string {
  if (first.id.endsWith('/app-root')) return 'app-root comes before all locations';
  const [a, b] = [writtenPath(world, first).length, writtenPath(world, second).length];
  if (isPattern(first) && isPattern(second))
    return a === b
      ? 'of patterns as long as each other, the last in the order of characters is tried first'
      : 'the longest pattern is tried first, by the characters that are written';
  const [isExact, isOther] = [first.match.path?.type === 'exact', second.match.path?.type === 'exact'];
  return isExact && !isOther
    ? 'nginx looks for an equal path first'
    : 'the longest path that the request begins with wins';
}
