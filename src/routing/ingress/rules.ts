/** Rules of an Ingress taken apart into claims on hosts and paths; what is invalid is reported and left out. */
import { isIP } from 'node:net';
import { checkDns1123Subdomain, checkWildcardSubdomain } from '../../base/names.ts';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, PathType } from '../../kube/types/index.ts';
import type { Route } from '../plan/plan.ts';
import type { Dialect } from '../route-policy/policy.ts';
import type { Gathered } from './backends.ts';
import type { Context } from './context.ts';

/** A rule that names a host, `*` for a rule without one. */
export interface HostClaim {
  readonly ingress: Ingress;
  readonly host: string;
  readonly rule: number;
  readonly fieldPath: string;
}

export interface PathClaim extends HostClaim {
  /** What was made of it, see hosts.ts. */
  compiled?: CompiledClaim;
  readonly pathType: PathType;
  /** What the path type means in the dialect of the Ingress. */
  readonly type: 'exact' | 'prefix';
  /** As written; `/` where nothing is. */
  readonly value: string;
  /** As it counts in the dialect: in Fairway's, without the trailing slash of a prefix. */
  readonly key: string;
  readonly path: number;
  readonly backend: IngressBackend | undefined;
}

export interface Claims {
  /** By host, in the order of the rules. */
  readonly byHost: ReadonlyMap<string, ClaimsOfHost>;
}

export interface ClaimsOfHost {
  readonly hosts: readonly HostClaim[];
  readonly paths: readonly PathClaim[];
}

/** The route of a claim, as of a translation. */
export interface CompiledClaim extends Gathered<Route> {
  readonly turn: number;
}

/**
 * ImplementationSpecific is the controller's to define: it means Prefix, as it does in ingress-nginx, where patterns may
 * stand in such a path.
 */
const pathTypes: ReadonlyMap<PathType, PathClaim['type']> = new Map([
  ['Exact', 'exact'],
  ['Prefix', 'prefix'],
  ['ImplementationSpecific', 'prefix'],
]);

export function readRules(context: Context, ingress: Ingress, dialect: Dialect): Claims {
  const byHost = new Map<string, { hosts: HostClaim[]; paths: PathClaim[] }>();
  (ingress.spec?.rules ?? []).forEach((rule, index) => {
    const claim = readHost(context, ingress, rule, index);
    if (!claim) return;
    let claims = byHost.get(claim.host);
    if (!claims) {
      claims = { hosts: [], paths: [] };
      byHost.set(claim.host, claims);
    }
    claims.hosts.push(claim);
    for (const [number, path] of (rule.http?.paths ?? []).entries()) {
      const found = readPath(context, claim, path, number, dialect);
      if (found) claims.paths.push(found);
    }
  });
  return { byHost };
}

function readHost(context: Context, ingress: Ingress, rule: IngressRule, index: number): HostClaim | undefined {
  const fieldPath = `spec.rules[${index}]`;
  const host = rule.host?.toLowerCase() || '*';
  const fault = host === '*' && !rule.host ? undefined : checkHost(host);
  if (fault === undefined) return { ingress, host, rule: index, fieldPath };
  context.report('FW2010', ingress, `${fieldPath}.host`, `${rule.host}: ${fault}`);
  return undefined;
}

/** A host of a rule or TLS section: why it is not one, or undefined. */
export function checkHost(host: string): string | undefined {
  if (isIP(host)) return 'must be a DNS name, not an IP address';
  return host.includes('*') ? checkWildcardSubdomain(host) : checkDns1123Subdomain(host);
}

function readPath(
  context: Context,
  claim: HostClaim,
  path: HTTPIngressPath,
  number: number,
  dialect: Dialect,
): PathClaim | undefined {
  const { ingress, host, rule } = claim;
  const fieldPath = `${claim.fieldPath}.http.paths[${number}]`;
  const type = pathTypes.get(path.pathType);
  const free = path.pathType === 'ImplementationSpecific';
  const value = path.path || (free ? '/' : '');
  const report = (code: 'FW2010' | 'FW2014', field: string, message: string) =>
    context.report(code, ingress, `${fieldPath}.${field}`, message);
  if (!type) {
    const known = [...pathTypes.keys()].join(', ');
    report('FW2010', 'pathType', `pathType is ${path.pathType ?? 'missing'}: one of ${known}`);
    return undefined;
  }
  if (!value.startsWith('/')) {
    report('FW2010', 'path', `${JSON.stringify(value)} is no absolute path: it must begin with /`);
    return undefined;
  }
  const { pathType, backend } = path;
  const shared = { ingress, host, rule, fieldPath, pathType, type, value, path: number, backend };
  if (dialect === 'ingress-nginx') return { ...shared, key: value };
  if (free && looksLikePattern(value)) report('FW2014', 'path', `${value} is matched as plain text, not as a pattern`);
  return { ...shared, key: keyOf(type, value) };
}

/** `/foo/` as a prefix is `/foo`. */
function keyOf(type: PathClaim['type'], value: string): string {
  return type === 'prefix' && value.length > 1 && value.endsWith('/') ? value.slice(0, -1) : value;
}

/** Signs of a regular expression or of the `/*` of cloud load balancers. */
function looksLikePattern(path: string): boolean {
  return /[*|[\]^\\]|\(.*\)|\$$/.test(path);
}
