/**
 * Canaries: Ingresses that put a second backend behind paths of others. A path has one at most, that of the oldest canary
 * with the same host, path and path type; all but its backend, its rules and its session behaviour is without effect.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { IngressBackend } from '../../kube/types/index.ts';
import type { Context } from '../ingress/context.ts';
import type { Conflict } from '../ingress/host-unit.ts';
import type { IngressMember } from '../ingress/members.ts';
import type { PathClaim } from '../ingress/rules.ts';
import { compilePattern } from '../match/pattern.ts';
import type { Canary, ForwardAction, WeightedBackend } from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { type Asked, isNginxKey, nginxPrefix, rowOf } from './annotations/table.ts';
import { bool } from './annotations/values.ts';
import type { Location } from './locations.ts';

export interface CanaryPath {
  readonly member: IngressMember;
  readonly backend: IngressBackend | undefined;
  /** Of the backend. */
  readonly fieldPath: string;
}

/** What a canary is for: the claim that a location comes from, or the default backend. */
export type CanaryKey = PathClaim | 'default';

export const canaryKey = ({ claim }: Location): CanaryKey => claim ?? 'default';

export interface Attached {
  readonly canaries: ReadonlyMap<CanaryKey, CanaryPath>;
  readonly conflicts: readonly Conflict[];
}

/** `members`: canaries, in the order of ingress-nginx. */
export function attachCanaries(
  hostname: string,
  locations: readonly Location[],
  members: readonly IngressMember[],
): Attached {
  const byPath = new Map(locations.map((location) => [`${location.type} ${location.path}`, location.claim]));
  const canaries = new Map<CanaryKey, CanaryPath>();
  const conflicts: Conflict[] = [];
  for (const member of members) {
    for (const claim of member.reading!.claims.byHost.get(hostname)?.paths ?? []) {
      const main = byPath.get(`${claim.type} ${claim.value}`);
      const why = whyNot(claim, main, main && canaries.get(main));
      if (why !== undefined) conflicts.push(conflictOf(member, claim, why));
      else canaries.set(main!, { member, backend: claim.backend, fieldPath: `${claim.fieldPath}.backend` });
    }
    if (hostname === '*') attachToAll(locations, member, canaries);
  }
  return { canaries, conflicts };
}

/** The default backend of a canary without rules is one for all that hosts without rules have. */
function attachToAll(
  locations: readonly Location[],
  member: IngressMember,
  canaries: Map<CanaryKey, CanaryPath>,
): void {
  const { spec } = member.object;
  const backend = spec?.defaultBackend;
  if (!backend?.service || spec?.rules?.length) return;
  for (const location of locations)
    if (location.member && !canaries.has(canaryKey(location)))
      canaries.set(canaryKey(location), { member, backend, fieldPath: 'spec.defaultBackend' });
}

/** A clause for people; undefined where nothing is against it. */
function whyNot(claim: PathClaim, main: PathClaim | undefined, other: CanaryPath | undefined): string | undefined {
  if (!claim.backend?.service) return 'its backend is no Service';
  if (!main) return 'no other Ingress has the path, with the same pathType';
  if (isSameService(claim, main)) return 'it leads to the Service that the path leads to already';
  if (other) return `the path has a canary, ${formatRef(other.member.ref)}`;
  return undefined;
}

function isSameService(a: PathClaim, b: PathClaim): boolean {
  const [one, two] = [a.backend?.service, b.backend?.service];
  return (
    a.ingress.metadata.namespace === b.ingress.metadata.namespace &&
    one?.name === two?.name &&
    one?.port?.name === two?.port?.name &&
    one?.port?.number === two?.port?.number
  );
}

function conflictOf(member: IngressMember, claim: PathClaim, why: string): Conflict {
  const report = (context: Context) => {
    const message = `the canary for ${claim.value} of host ${claim.host} is left out: ${why}`;
    context.report('FW2017', claim.ingress, claim.fieldPath, message);
  };
  return { member, rule: claim.rule, path: claim.path, report };
}

/** Tells of annotations of canaries that somebody may take for a protection: those of the path that is shared hold. */
export function reportUnheeded(context: Context, { object }: IngressMember): void {
  for (const [annotation, text] of Object.entries(object.metadata.annotations ?? {})) {
    const name = annotation.startsWith(nginxPrefix) ? annotation.slice(nginxPrefix.length) : '';
    if (!isNginxKey(name) || !rowOf(name).protects || bool.read(String(text).trim()) === false) continue;
    const message = `${annotation} has no effect on a canary: what the Ingress says whose path it shares holds`;
    context.report('FW5503', object, `metadata.annotations["${annotation}"]`, message, { severity: 'error' });
  }
}

/** Weights and rules of two backends, the second being the canary's. */
export function shareWithCanary(main: WeightedBackend, canary: WeightedBackend, { member }: CanaryPath): ForwardAction {
  const { asked } = readNginxAnnotations(member.object);
  // A smaller total is not taken for one.
  const total = Math.max(asked['canary-weight-total'] ?? 100, 100);
  const weight = Math.min(Math.max(asked['canary-weight'] ?? 0, 0), total);
  return {
    type: 'forward',
    backends: [
      { ...main, weight: total - weight },
      { ...canary, weight },
    ],
    canary: rulesOf(asked),
  };
}

/** None is a rule too: a canary without endpoints gets nothing. */
function rulesOf(asked: Asked): Canary {
  const {
    'canary-by-header': header,
    'canary-by-header-value': text,
    'canary-by-header-pattern': pattern,
    'canary-by-cookie': cookie,
  } = asked;
  const name = header?.toLowerCase();
  return {
    ...(name !== undefined && {
      header: {
        name,
        ...(text !== undefined ? { text } : pattern !== undefined && { pattern }),
      },
    }),
    ...(cookie !== undefined && { cookie }),
  };
}

/** Why the pattern of a canary decides nothing; undefined where it does, or there is none. */
export function patternFault({ member }: CanaryPath): string | undefined {
  const { asked } = readNginxAnnotations(member.object);
  const pattern = asked['canary-by-header-pattern'];
  if (pattern === undefined || asked['canary-by-header-value'] !== undefined) return undefined;
  const compiled = compilePattern(pattern);
  return compiled.ok ? undefined : compiled.error;
}
