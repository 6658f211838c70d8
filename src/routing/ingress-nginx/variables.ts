/**
 * Text with variables of nginx, as annotations and snippets have it, read into a template. What a variable stands for is
 * looked up in one table; a name that is not there is a fault, never an empty text.
 */
import { err, ok, type Result } from '../../base/result.ts';
import type { RequestFact } from '../plan/filters.ts';
import type { CapturePattern, RequestValue, Template } from '../plan/values.ts';

/** What may stand in a text besides facts of the request. */
export interface VariableScope {
  /** Variables of the place where the text stands, by the name without its `$`. */
  readonly locals?: Readonly<Record<string, Template>>;
  /** Groups that the route's path pattern has, or `within`; 0 without one. */
  readonly captures?: number;
  /** The pattern that groups are of, in the place of the path's. */
  readonly within?: CapturePattern;
  /** Headers of the response may be named (`$upstream_http_…`, `$sent_http_…`). */
  readonly response?: true;
}

const fact = (name: RequestFact): Template => [{ of: 'fact', fact: name }];
const header = (name: string): Template => [{ of: 'header', name }];

/** nginx's own variables and those that ingress-nginx sets for every location. */
const variables: Readonly<Record<string, Template>> = {
  args: fact('query'),
  // For keys, where the form of an address does not matter.
  binary_remote_addr: fact('client-address'),
  best_http_host: fact('host'),
  content_length: header('content-length'),
  content_type: header('content-type'),
  document_uri: fact('normal-path'),
  escaped_request_uri: fact('escaped-uri'),
  host: fact('hostname'),
  https: fact('tls'),
  http_host: fact('host'),
  is_args: fact('query-mark'),
  pass_access_scheme: fact('scheme'),
  pass_port: fact('port'),
  pass_server_port: fact('listener-port'),
  proxy_add_x_forwarded_for: fact('forwarded-for-appended'),
  query_string: fact('query'),
  remote_addr: fact('client-address'),
  remote_user: fact('user'),
  req_id: fact('request-id'),
  request: [...fact('method'), ' ', ...fact('uri'), ' ', ...fact('protocol')],
  request_id: fact('request-id'),
  request_method: fact('method'),
  request_uri: fact('uri'),
  scheme: fact('scheme'),
  server_port: fact('listener-port'),
  server_protocol: fact('protocol'),
  ssl_client_escaped_cert: fact('client-certificate'),
  ssl_client_i_dn: fact('client-certificate-issuer'),
  ssl_client_s_dn: fact('client-certificate-subject'),
  ssl_client_verify: fact('client-certificate-verify'),
  the_real_ip: fact('client-address'),
  uri: fact('normal-path'),
};

/** Variables with a name in their name. */
const families: readonly (readonly [prefix: string, make: (rest: string) => RequestValue])[] = [
  ['arg_', (name) => ({ of: 'query', name })],
  ['cookie_', (name) => ({ of: 'cookie', name })],
  ['http_', (name) => ({ of: 'header', name: headerName(name) })],
];

const responseFamilies: typeof families = [
  ['sent_http_', (name) => ({ of: 'response-header', name: headerName(name) })],
  ['upstream_http_', (name) => ({ of: 'response-header', name: headerName(name) })],
];

/** For documents: names that are known, and `arg_NAME` for families of them. Those of responses are for response headers. */
export const variableNames: readonly string[] = [
  ...Object.keys(variables),
  ...[...families, ...responseFamilies].map(([prefix]) => `${prefix}NAME`),
].sort();

/** Variables that ingress-nginx sets in every location. */
export const localNames = [
  ...(['namespace', 'ingress_name', 'service_name', 'service_port'] as const),
  ...(['location_path', 'server_name', 'proxy_upstream_name'] as const),
];

/** `user_agent` is how nginx names User-Agent. */
const headerName = (name: string) => name.toLowerCase().replaceAll('_', '-');

/** The fault is a clause for people: `$foo is not known`. */
export function parseTemplate(text: string, scope: VariableScope = {}): Result<Template, string> {
  const parts: (string | RequestValue)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\$(?:([1-9]|[A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})?/g)) {
    const name = match[1] ?? match[2];
    if (name === undefined) return err('a $ stands alone');
    const value = meaningOf(name, scope);
    if (!value) return err(`the variable $${name} is not known`);
    parts.push(text.slice(at, match.index), ...value);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return ok(joined(parts));
}

function meaningOf(name: string, { locals = {}, captures = 0, within, response }: VariableScope): Template | undefined {
  if (/^[1-9]$/.test(name)) {
    const group = Number(name);
    return group <= captures ? [{ of: 'capture', group, ...(within && { within }) }] : [];
  }
  if (Object.hasOwn(locals, name)) return locals[name];
  if (Object.hasOwn(variables, name)) return variables[name];
  const all = response ? [...families, ...responseFamilies] : families;
  const family = all.find(([prefix]) => name.startsWith(prefix) && name.length > prefix.length);
  return family && [family[1](name.slice(family[0].length))];
}

/** What a variable stands for that every request has, by its name without the `$`; undefined for others. */
export const requestVariable = (name: string): Template | undefined =>
  /^[0-9]+$/.test(name) ? undefined : meaningOf(name, {});

/** Neighbouring texts as one, and no empty ones. */
function joined(parts: Template): Template {
  const whole: (string | RequestValue)[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (part === '') continue;
    if (typeof part === 'string' && typeof last === 'string') whole[whole.length - 1] = last + part;
    else whole.push(part);
  }
  return whole;
}

/** The text of a template without values of requests; undefined when it has one. */
export function constantText(template: Template): string | undefined {
  if (template.length === 0) return '';
  const [only, ...rest] = template;
  return typeof only === 'string' && rest.length === 0 ? only : undefined;
}
