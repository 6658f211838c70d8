/**
 * Snippets: of an Ingress, where the operator lets them be followed, and of the controller's ConfigMap. One that is not
 * understood whole shuts the location.
 */

import { formatRef } from '../../base/diagnostics/index.ts';
import type { Ingress } from '../../kube/types/index.ts';
import type { IngressMember } from '../ingress/members.ts';
import type { Filter } from '../plan/plan.ts';
import { readNginxAnnotations } from './annotations/read.ts';
import { nginxPrefix } from './annotations/table.ts';
import type { NginxConfig } from './config/config.ts';
import { type PolicyScope, report } from './policy/desk.ts';
import { compileSnippet } from './snippets/compile.ts';
import { snippetsForbidden } from './snippets/leave.ts';
import type { VariableScope } from './variables.ts';

export interface SnippetReading {
  readonly filters: readonly Filter[];
  /** Shown to clients. */
  readonly refusal?: string;
}

const nothing: SnippetReading = { filters: [] };
const names = { location: 'configuration-snippet', server: 'server-snippet' } as const;

export function readSnippet(
  scope: PolicyScope,
  config: NginxConfig,
  { object }: IngressMember,
  place: keyof typeof names,
  variables: VariableScope = {},
): SnippetReading {
  const name = names[place];
  const text = readNginxAnnotations(object).asked[name];
  if (text === undefined) return nothing;
  const forbidden = snippetsForbidden(config);
  const compiled = forbidden === undefined ? compileSnippet(text, place, variables) : undefined;
  if (compiled?.ok) return { filters: compiled.value };
  const why = compiled ? `line ${compiled.error.line}: ${compiled.error.message}` : forbidden;
  // Who lets snippets be followed is said by the message; what they may say, by the table.
  report(scope, object, {
    ...{ code: 'FW5501', name, message: `${nginxPrefix}${name}: ${why}` },
    ...(compiled && { noted: true }),
  });
  return { filters: [], refusal: `the annotation ${nginxPrefix}${name} cannot be honoured` };
}

export interface ServerSnippets {
  /** Of the first Ingress that has one, for all locations of the host. */
  readonly ofHost: SnippetReading;
  /** Of Ingresses that may have none, for their own locations. */
  readonly refusals: ReadonlyMap<Ingress, string | undefined>;
}

/** `members`: of a host, the one whose snippet counts first. */
export function readServerSnippets(
  scope: PolicyScope,
  config: NginxConfig,
  members: readonly IngressMember[],
): ServerSnippets {
  const textOf = ({ object }: IngressMember) => readNginxAnnotations(object).asked['server-snippet'];
  const [first, ...others] = members.filter((member) => textOf(member) !== undefined);
  if (!first) return { ofHost: nothing, refusals: new Map() };
  const read = (member: IngressMember) => readSnippet(scope, config, member, 'server');
  // One that nobody lets be followed says nothing of the locations of others.
  if (snippetsForbidden(config) !== undefined)
    return { ofHost: nothing, refusals: new Map([first, ...others].map((one) => [one.object, read(one).refusal])) };
  for (const other of others) if (textOf(other) !== textOf(first)) reportLate(scope, first, other);
  return { ofHost: read(first), refusals: new Map() };
}

function reportLate(scope: PolicyScope, first: IngressMember, { object }: IngressMember): void {
  const name = names.server;
  const message = `${nginxPrefix}${name} is not followed: the host has that of ${formatRef(first.ref)}, which came first`;
  report(scope, object, { code: 'FW5503', name, message, grave: true });
}

/** Of the ConfigMap; it stands behind that of the Ingress. What is wrong with it is told of the ConfigMap. */
export function readGlobalSnippet(
  { locationSnippet, serverSnippet }: NginxConfig,
  place: keyof typeof names,
  variables: VariableScope = {},
): SnippetReading {
  const text = place === 'location' ? locationSnippet : serverSnippet;
  if (text === '') return nothing;
  const compiled = compileSnippet(text, place, variables);
  if (compiled.ok) return { filters: compiled.value };
  return { filters: [], refusal: `the key ${place}-snippet of the ConfigMap cannot be honoured` };
}

export function together(first: SnippetReading, then: SnippetReading): SnippetReading {
  if (then === nothing) return first;
  const refusal = first.refusal ?? then.refusal;
  return { filters: [...first.filters, ...then.filters], ...(refusal !== undefined && { refusal }) };
}
