/** Rules of an Ingress taken apart into claims on hosts and paths; what is invalid is reported and left out. */
import { isIP } from 'node:net';
import { checkDns1123Subdomain, checkWildcardSubdomain } from '../../base/names.ts';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, PathType } from '../../kube/types/index.ts';
import type { Context } from './context.ts';

/** A rule that names a host, `*` for a rule without one. */
export interface HostClaim {
  readonly ingress: Ingress;
  readonly host: string;
  readonly rule: number;
  readonly fieldPath: string;
}

export interface PathClaim extends HostClaim {
  readonly type: 'exact' | 'prefix';
  /** As written. */
  readonly value: string;
  /** As it counts: without the trailing slash of a prefix. */
  readonly key: string;
  readonly path: number;
  readonly backend: IngressBackend | undefined;
}

export interface Claims {
  readonly hosts: readonly HostClaim[];
  readonly paths: readonly PathClaim[];
}

/** ImplementationSpecific is the controller's to define: it means Prefix here. */
const pathTypes: ReadonlyMap<PathType, PathClaim['type']> = new Map([
  ['Exact', 'exact'],
  ['Prefix', 'prefix'],
  ['ImplementationSpecific', 'prefix'],
]);

export function readRules(context: Context, ingress: Ingress): Claims {
  const hosts: HostClaim[] = [];
  const paths: PathClaim[] = [];
  (ingress.spec?.rules ?? []).forEach((rule, index) => {
    const claim = readHost(context, ingress, rule, index);
    if (!claim) return;
    hosts.push(claim);
    (rule.http?.paths ?? []).forEach((path, number) => {
      const found = readPath(context, claim, path, number);
      if (found) paths.push(found);
    });
  });
  return { hosts, paths };
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

function readPath(context: Context, claim: HostClaim, path: HTTPIngressPath, number: number): PathClaim | undefined {
  const { ingress } = claim;
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
  if (free && looksLikePattern(value)) report('FW2014', 'path', `${value} is matched as plain text, not as a pattern`);
  const { host, rule } = claim;
  return { ingress, host, rule, fieldPath, type, value, key: keyOf(type, value), path: number, backend: path.backend };
}

/** `/foo/` as a prefix is `/foo`. */
function keyOf(type: PathClaim['type'], value: string): string {
  return type === 'prefix' && value.length > 1 && value.endsWith('/') ? value.slice(0, -1) : value;
}

/** Signs of a regular expression or of the `/*` of cloud load balancers. */
function looksLikePattern(path: string): boolean {
  return /[*|[\]^\\]|\(.*\)|\$$/.test(path);
}
