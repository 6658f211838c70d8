/**
 * Ingresses with a location that lets no request through, and what their status says of it: `error` of a port
 * (networking.k8s.io/v1 IngressPortStatus), a domain, a slash and a word in camel case.
 */
import type { Route } from '../plan/plan.ts';
import type { HostUnit } from './host-unit.ts';
import type { IngressMember } from './members.ts';

/** Why a route lets nothing through because of what its object asks for; undefined when it does, or has nothing to lead to. */
function reasonOf({ action }: Route): string | undefined {
  return action.type === 'respond' && action.status === 503 ? action.reason : undefined;
}

export const isShutUnit = ({ host }: HostUnit): boolean =>
  host?.routes.some((route) => reasonOf(route) !== undefined) ?? false;

/** What stands in the way, by the Ingress that has the location; of several the first. */
export function shutMembers(units: Iterable<HostUnit>): ReadonlyMap<IngressMember, string> {
  const found = new Map<IngressMember, string>();
  for (const { host, members } of units) {
    const byKey = new Map(members.map((member) => [member.key, member]));
    for (const route of host?.routes ?? []) {
      const reason = reasonOf(route);
      const { namespace, name } = route.source.object;
      const member = reason === undefined ? undefined : byKey.get(`${namespace}/${name}`);
      if (member && !found.has(member)) found.set(member, portError(reason!));
    }
  }
  return found;
}

const domain = 'fairway.dev';
/** Of the field. */
const maxLength = 316;

/** `fairway.dev/CannotHonourAuthTlsSecret`: of an annotation its name after the prefix, of a ConfigMap the key. */
export function portError(reason: string): string {
  const [, annotation] = /^the annotation \S+\/(\S+) cannot be honoured$/.exec(reason) ?? [];
  const [, key] = /^the key (\S+) of the ConfigMap cannot be honoured$/.exec(reason) ?? [];
  const word =
    annotation === undefined
      ? key === undefined
        ? 'CannotServePath'
        : `CannotHonourConfigMapKey${camelCase(key)}`
      : `CannotHonour${camelCase(annotation)}`;
  return `${domain}/${word}`.slice(0, maxLength);
}

const camelCase = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
