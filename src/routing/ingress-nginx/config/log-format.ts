/** `log-format-upstream`: the text of nginx's log_format as a list of texts and named fields. */
import { err, ok, type Result } from '../../../base/result.ts';
import { defaultLogFormat, type LogFact, type LogField, type LogFormat } from '../../plan/log-format.ts';
import { requestVariable } from '../variables.ts';

/** What of the three keys has been read. */
export interface LogDraft {
  parts?: LogFormat['parts'];
  json: boolean;
  none: boolean;
}

export interface LogReading {
  readonly parts: LogFormat['parts'];
  /** Variables that are not known, without their `$`; the line has `-` for each. */
  readonly unknown: readonly string[];
}

/** Variables of which requests are not enough to know them. */
const facts: Readonly<Record<string, LogFact>> = {
  body_bytes_sent: 'body-bytes-sent',
  bytes_sent: 'bytes-sent',
  ingress_name: 'ingress-name',
  msec: 'msec',
  namespace: 'namespace',
  proxy_alternative_upstream_name: 'alternative-upstream-name',
  proxy_host: 'upstream-name',
  proxy_protocol_addr: 'proxy-protocol-address',
  proxy_upstream_name: 'upstream-name',
  remote_port: 'remote-port',
  remote_user: 'remote-user',
  request: 'request-line',
  request_length: 'request-length',
  request_time: 'request-time',
  server_name: 'server-name',
  service_name: 'service-name',
  service_port: 'service-port',
  ssl_cipher: 'tls-cipher',
  ssl_protocol: 'tls-protocol',
  ssl_server_name: 'tls-server-name',
  status: 'status',
  time_iso8601: 'time-iso8601',
  time_local: 'time-local',
  upstream_addr: 'upstream-address',
  upstream_connect_time: 'upstream-connect-time',
  upstream_header_time: 'upstream-header-time',
  upstream_response_length: 'upstream-response-length',
  upstream_response_time: 'upstream-response-time',
  upstream_status: 'upstream-status',
};

const families: readonly (readonly [prefix: string, make: (name: string) => LogField])[] = [
  ['sent_http_', (name) => ({ of: 'sent-header', name })],
  ['upstream_http_', (name) => ({ of: 'response-header', name })],
];

/** For documents: those that only lines of the log know. */
export const logVariableNames: readonly string[] = [
  ...Object.keys(facts),
  ...families.map(([prefix]) => `${prefix}NAME`),
].sort();

/** Longer ones are no format that somebody has written. */
const MAX_LENGTH = 16_384;

/** Each may be as long as a head: lines have an end. */
const MAX_VARIABLES = 256;

const variable = /\$(?:([a-zA-Z0-9_]{1,128})(?![a-zA-Z0-9_])|\{([a-zA-Z0-9_]{1,128})\})?/g;

/**
 * As nginx reads what ingress-nginx puts between single quotes: `\t` is a tab, backslashes before quotes and backslashes
 * go, and a quote, white space and a quote are nothing. Line breaks become blanks: a request has one line.
 */
export function readLogFormat(text: string): Result<LogReading, string> {
  if (text.length > MAX_LENGTH) return err(`it is longer than ${MAX_LENGTH} characters`);
  const found = [...text.matchAll(variable)];
  if (found.length > MAX_VARIABLES) return err(`it has more than ${MAX_VARIABLES} variables`);
  const parts: (string | LogField)[] = [];
  const unknown = new Set<string>();
  let at = 0;
  for (const match of found) {
    const name = match[1] ?? match[2];
    if (name === undefined) return err('after a $ there is no name of a variable');
    const fields = fieldsOf(name);
    if (!fields) unknown.add(name);
    put(parts, plainText(text.slice(at, match.index)), ...(fields ?? ['-']));
    at = match.index + match[0].length;
  }
  put(parts, plainText(text.slice(at)));
  return ok({ parts, unknown: [...unknown] });
}

/** Neighbouring texts as one, and no empty ones. */
function put(parts: (string | LogField)[], ...more: LogFormat['parts']): void {
  for (const part of more) {
    const last = parts.at(-1);
    if (part === '') continue;
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else parts.push(part);
  }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', r: ' ', n: ' ' };

const plainText = (text: string): string =>
  text
    .replace(/(?<!\\)'[ \t\r\n]{1,256}'/g, '')
    .replace(/\\([trn"'\\])/g, (_, character: string) => escapes[character] ?? character)
    .replace(/[ \t]*[\r\n]+[ \t]*/g, ' ');

function fieldsOf(name: string): LogFormat['parts'] | undefined {
  if (Object.hasOwn(facts, name)) return [{ of: 'log', fact: facts[name]! }];
  const family = families.find(([prefix]) => name.startsWith(prefix) && name.length > prefix.length);
  if (family) return [family[1](name.slice(family[0].length).toLowerCase().replaceAll('_', '-'))];
  return requestVariable(name)?.filter((part) => typeof part === 'string' || part.of !== 'capture') as
    | LogFormat['parts']
    | undefined;
}

/** Undefined where nothing was said, or nothing else than the default. */
export function logFormatOf(
  { parts = defaultLogFormat.parts, json, none }: LogDraft,
  generatesRequestId: boolean,
): LogFormat | undefined {
  if (parts === defaultLogFormat.parts && !none && !json && generatesRequestId) return undefined;
  return {
    parts: generatesRequestId ? parts : parts.map(withoutOwnId),
    escape: none ? 'none' : json ? 'json' : 'default',
  };
}

/** With `generate-request-id` off, an id is what the client says. */
const withoutOwnId = (part: string | LogField): string | LogField =>
  typeof part !== 'string' && part.of === 'fact' && part.fact === 'request-id'
    ? { of: 'header', name: 'x-request-id' }
    : part;
