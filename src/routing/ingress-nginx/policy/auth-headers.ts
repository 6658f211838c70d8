/** Headers that a ConfigMap (`auth-proxy-set-headers`) or a snippet (`auth-snippet`) puts into the question to a service. */
import type { Template } from '../../plan/plan.ts';
import type { NginxKey } from '../annotations/table.ts';
import { compileSnippet } from '../snippets/compile.ts';
import { snippetsForbidden } from '../snippets/leave.ts';
import { constantText } from '../variables.ts';
import { keyIn, type LocationDesk, localsOf } from './desk.ts';
import type { Question } from './external-auth.ts';

type Header = readonly [name: string, value: Template];

export interface GivenHeaders {
  readonly headers: readonly Header[];
  /** In lower case; these go before what is sent anyway. */
  readonly named: ReadonlySet<string>;
  readonly host?: string;
}

/** The affair of the data plane. */
const ofConnection: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'keep-alive', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Those of the snippet count where both have one. Undefined: missed. */
export function givenHeaders(desk: LocationDesk, question: Question): GivenHeaders | undefined {
  const listed = ofConfigMap(desk);
  const scripted = ofSnippet(desk, question);
  if (!listed || !scripted) return undefined;
  const byName = new Map([...listed, ...scripted].map((header) => [header[0].toLowerCase(), header]));
  const host = byName.get('host')?.[1];
  const text = host && constantText(host);
  if (host && (text === undefined || !/^[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?$/.test(text)))
    return desk.miss('auth-url', 'the Host of the question is not one host');
  const headers = [...byName]
    .filter(([name]) => name !== 'host' && !ofConnection.has(name))
    .map(([, header]) => header);
  return { headers, named: new Set(byName.keys()), ...(text !== undefined && { host: text }) };
}

function ofConfigMap(desk: LocationDesk): readonly Header[] | undefined {
  const name = 'auth-proxy-set-headers';
  const named = desk.asked[name];
  if (!named) return [];
  const key = keyIn(desk, name, named);
  const map = key === undefined ? undefined : desk.scope.resolver.findConfigMap(key);
  if (key === undefined) return undefined;
  if (!map) return desk.miss(name, `the ConfigMap ${key} does not exist`);
  const headers: Header[] = [];
  for (const [header, text] of Object.entries(map.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!/^[A-Za-z0-9\-_]+$/.test(header))
      return desk.miss(name, `${header} of the ConfigMap ${key} is no header name`);
    const value = desk.template(name, String(text));
    if (!value) return undefined;
    headers.push([header, value]);
  }
  return headers;
}

/** That of the ConfigMap of ingress-nginx is the operator's own; those of Ingresses need leave. */
function ofSnippet(desk: LocationDesk, { snippet, isGlobal }: Question): readonly Header[] | undefined {
  if (snippet === undefined) return [];
  const name: NginxKey = isGlobal ? 'enable-global-auth' : 'auth-snippet';
  const forbidden = isGlobal ? undefined : snippetsForbidden(desk.config);
  if (forbidden !== undefined) return desk.miss(name, forbidden);
  const variables = { locals: localsOf(desk.ingress, desk.facts), captures: desk.facts.groups };
  const compiled = compileSnippet(snippet, 'auth', variables);
  if (!compiled.ok) return desk.miss(name, `line ${compiled.error.line}: ${compiled.error.message}`, 'noted');
  return compiled.value.flatMap((filter) => (filter.type === 'request-values' ? filter.set : []));
}
