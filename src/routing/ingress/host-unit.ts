/** A host that Ingresses claim, and what was made of it: shared by the machinery of hosts.ts and the dialects that build hosts. */
import type { Freshness } from '../incremental/freshness.ts';
import type { ClientValidation, StreamRoute, VirtualHost } from '../plan/plan.ts';
import type { Dialect } from '../route-policy/policy.ts';
import type { BackendResolver, Fallback, Gathered } from './backends.ts';
import type { Context } from './context.ts';
import type { IngressMember } from './members.ts';
import type { OtherName } from './other-names.ts';

/** `*` also when an Ingress has a default backend. */
export interface HostUnit {
  readonly hostname: string;
  /** Oldest first. */
  members: readonly IngressMember[];
  /** Undefined: to be built. */
  built?: BuiltHost | undefined;
  /** The host of the last translation, which stays when it comes out equal; undefined: nothing answers for the name. */
  host?: VirtualHost | undefined;
  /** The host that is in the list. */
  listed?: VirtualHost | undefined;
}

export interface BuiltHost {
  readonly host?: VirtualHost | undefined;
  /** Steps that it was made in, with what they have met. */
  readonly compiled: readonly (Gathered<unknown> & { readonly turn: number })[];
  /** Claims that came to nothing. */
  readonly conflicts: readonly Conflict[];
  /** Other names that are answered as well, unless somebody claims them. */
  readonly others?: readonly OtherName[];
  /** What certificates clients are asked for. */
  readonly clientValidation?: ClientValidation | undefined;
  /** Where TLS for the name goes as it comes, past this host. */
  readonly passthrough?: StreamRoute | undefined;
  /** What it depends on besides what was asked for in the steps; built anew when that is another one. */
  readonly stamp?: string;
}

/** Told with the Ingress that loses, in the order of its rules and paths. */
export interface Conflict {
  readonly member: IngressMember;
  readonly rule: number;
  readonly path: number;
  readonly report: (context: Context) => void;
}

export interface DefaultBackend extends Fallback {
  readonly member: IngressMember;
}

/** What is lent to the building of a host. */
export interface BuildInput {
  readonly context: Context;
  readonly resolver: BackendResolver;
  readonly freshness: Freshness;
  /** Who has the requests that no rule takes, in the dialect of Fairway. */
  readonly catchAll: DefaultBackend | undefined;
}

/** Whose Ingress came first decides in which dialect a host is served; a canary adds to a host and has none. */
export function dialectOfUnit({ members }: Pick<HostUnit, 'members'>): Dialect {
  return ownerOf(members)?.claim.dialect ?? 'ingress-nginx';
}

export function ownerOf(members: readonly IngressMember[]): IngressMember | undefined {
  return members.find(({ reading }) => !reading!.isCanary);
}
