/**
 * URLs that lead back to the host of the location, as `https://$host/oauth2/auth` does: to the Service that another path
 * of the host has, without the way over DNS and the front door that nginx would take.
 */
import type { Ingress, IngressServiceBackend } from '../../../kube/types/index.ts';
import type { BackendId, Template } from '../../plan/plan.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import type { Asked, NginxKey } from '../annotations/table.ts';
import type { LocationDesk } from './desk.ts';

/** A path of a host, whoever has it. */
export interface OwnPath {
  readonly type: 'exact' | 'prefix';
  readonly value: string;
  readonly ingress: Ingress;
  readonly service: IngressServiceBackend;
}

/** What would make another request of it before it gets to the Service, or speak to that in another way. */
const changing: readonly NginxKey[] = [
  ...(['rewrite-target', 'use-regex', 'permanent-redirect', 'temporal-redirect', 'backend-protocol'] as const),
  ...(['upstream-vhost', 'auth-type', 'configuration-snippet', 'server-snippet'] as const),
];

/** `loop`: the path is behind the very question. */
export type OwnHost = { readonly backend: BackendId } | 'loop';

/** Undefined: nobody has the path, or it does more than to lead to a Service. */
export function ownBackend({ facts, scope }: LocationDesk, name: NginxKey, target: Template): OwnHost | undefined {
  const [start] = target;
  if (typeof start !== 'string') return undefined;
  const owner = ownerOf(facts.paths ?? [], start.replace(/\?.*$/s, ''), target.length === 1 || start.includes('?'));
  if (!owner) return undefined;
  const { asked } = readNginxAnnotations(owner.ingress);
  if (isBehind(name, asked)) return 'loop';
  if (changing.some((key) => asked[key] !== undefined)) return undefined;
  const found = scope.resolver.findBackend(owner.ingress.metadata.namespace ?? 'default', owner.service);
  return 'id' in found ? { backend: found.id } : undefined;
}

/** Whoever would be let in by such a path would be let in by what is to be protected. */
function isBehind(name: NginxKey, asked: Asked): boolean {
  if (name === 'enable-global-auth') return asked['enable-global-auth'] !== false && asked['auth-url'] === undefined;
  return name === 'auth-url' && asked['auth-url'] !== undefined;
}

/** The longest path wins, and an exact one before a prefix. With a path that goes on with a variable, a prefix only. */
function ownerOf(paths: readonly OwnPath[], path: string, isWhole: boolean): OwnPath | undefined {
  const fitting = paths.filter(({ type, value }) =>
    type === 'exact' ? isWhole && value === path : isBelow(path, value),
  );
  return fitting.sort((a, b) => b.value.length - a.value.length || (a.type === 'exact' ? -1 : 1))[0];
}

function isBelow(path: string, prefix: string): boolean {
  const plain = prefix.replace(/\/$/, '');
  return path === plain || path.startsWith(`${plain}/`);
}
