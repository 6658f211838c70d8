/** What a service is asked about a request. */
import type { ExternalAuthFilter } from '../../../routing/plan/plan.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { isAuthority } from '../../http1/authority.ts';
import { isToken } from '../../http1/characters.ts';
import { fieldPairs } from '../../http1/fields.ts';
import { known, knownName } from '../../http1/known-fields.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Target } from '../../routes/compile.ts';
import type { Question } from '../../subrequest/subrequests.ts';
import { createValueLines } from '../../values/lines.ts';
import { soundTemplate, type TextOf, targetText, templateFault } from '../../values/template.ts';
import { constantLines, factLines, headerFault, isRequestTarget, variableName } from '../facts.ts';
import { ownFields } from '../header-change.ts';

/** Why the question cannot be put; undefined when it can. */
export function questionFault(filter: ExternalAuthFilter): string | undefined {
  const { method, host, path, requestHeaders, facts, setHeaders, values = [] } = filter;
  if (method !== undefined && !isToken(method)) return `${JSON.stringify(method)} is not a method`;
  if (host !== undefined && !isAuthority(host)) return `${JSON.stringify(host)} is not a host`;
  const named = requestHeaders === 'all' ? [] : requestHeaders;
  const faults = [
    pathFault(path),
    ...values.flatMap(([name, value]) => [headerFault(name), templateFault(value)]),
    ...named.map((name) => headerFault(name)),
    ...facts.map(([name]) => headerFault(name)),
    ...setHeaders.map(([name, value]) => headerFault(name, value)),
  ];
  return faults.find((fault) => fault !== undefined);
}

function pathFault(path: ExternalAuthFilter['path']): string | undefined {
  if (path.type === 'template') return templateFault(path.value);
  const isPath = isRequestTarget(path.value) || (path.type === 'prefix' && path.value === '');
  return isPath ? undefined : `${JSON.stringify(path.value)} is not a path`;
}

/** Of the connection, and those whose meaning ends with the body. */
export const neverSent: ReadonlySet<string> = new Set([...ownFields, 'host', 'expect', 'http2-settings']);

/**
 * About the representation that the client is after (RFC 9110 sections 13.1 and 14.2): the service would answer 304, 412 or
 * 206 for its own.
 */
const ofTheRepresentation: ReadonlySet<string> = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
]);

export interface Asked {
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

/** The request line and host of the question. */
export function createAsked(filter: ExternalAuthFilter): (exchange: Exchange, head: RequestHead) => Asked {
  const pathOf = createPath(filter.path);
  return (exchange, head) => {
    const { listener } = exchange.client.door.table;
    const own = head.host !== '' ? head.host : `${listener.address}:${listener.port}`;
    return { method: filter.method ?? head.method, host: filter.host ?? own, path: pathOf(exchange, head) };
  };
}

function createPath(path: ExternalAuthFilter['path']): TextOf {
  if (path.type === 'fixed') return () => path.value;
  if (path.type === 'template') {
    const { text } = soundTemplate(path.value);
    return (exchange, head) => targetText(text(exchange, head));
  }
  const prefix = path.value.replace(/\/$/, '');
  // The target of `OPTIONS *` has no path.
  return (_exchange, { target }) => prefix + (target.startsWith('/') ? target : '/');
}

/** The whole question about a request, whose body was gathered if it is to be sent. */
export function createQuestion(
  filter: ExternalAuthFilter,
  target: Target,
): (exchange: Exchange, head: RequestHead) => Question {
  const { facts, setHeaders, sendsLength = false, timeoutMs = 0 } = filter;
  const constants = constantLines(setHeaders);
  const values = filter.values ?? [];
  const valueLines = createValueLines(values);
  const ask = createAsked(filter);
  const wanted = filter.requestHeaders === 'all' ? undefined : new Set(filter.requestHeaders);
  const replaced = new Set([...facts, ...setHeaders, ...values].map(([name]) => variableName(name.toLowerCase())));

  function isSent(name: string, exchange: Exchange, head: RequestHead, hasBody: boolean): boolean {
    if (neverSent.has(name) || replaced.has(variableName(name)) || head.connectionNames.includes(name)) return false;
    if (!exchange.client.trusted && knownName(name) === known.forwarded) return false;
    if (wanted) return wanted.has(name);
    return !ofTheRepresentation.has(name) && (hasBody || !name.startsWith('content-'));
  }

  return (exchange, head) => {
    const body = filter.body ? (exchange.kept ?? []) : [];
    const { method, host, path } = ask(exchange, head);
    let lines = '';
    for (const [name, value] of fieldPairs(head.fields)) {
      if (isSent(name.toLowerCase(), exchange, head, body.length > 0)) lines += `${name}: ${value}\r\n`;
    }
    lines += factLines(facts, exchange, head) + constants + valueLines(exchange, head);
    return { target, method, host, path, lines, body, sendsLength, timeoutMs };
  };
}
