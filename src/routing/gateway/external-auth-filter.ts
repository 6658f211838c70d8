/** HTTPExternalAuthFilter (GEP-1494) → the plan's filter. */
import type { ExternalAuthFilter, GrpcAuthFilter } from '../plan/plan.ts';
import type { ResolveBackend } from './backends.ts';
import { type FilterFault, headerName, unsupported } from './filter-fault.ts';
import type { HttpRule } from './http-match.ts';

type Given = NonNullable<NonNullable<HttpRule['filters']>[number]['externalAuth']>;
type Body = { readonly body?: { readonly maxBytes: number } };

/** `closed`: there is nobody to ask, which the route's status says, so that nothing may get through. */
type Compiled = { readonly filter: ExternalAuthFilter | GrpcAuthFilter } | { readonly closed: string } | FilterFault;
type Compiler = (given: Given, body: Body, fieldPath: string, resolve: ResolveBackend) => Compiled;

const protocols: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  ['HTTP', overHttp],
  ['GRPC', overGrpc],
]);

export function externalAuthFilter(
  { externalAuth }: { readonly externalAuth?: Given },
  fieldPath: string,
  resolve: ResolveBackend,
): Compiled {
  const at = `${fieldPath}.externalAuth`;
  if (!externalAuth) return unsupported(at, 'an ExternalAuth filter needs externalAuth');
  const compile = protocols.get(externalAuth.protocol);
  if (!compile)
    return unsupported(`${at}.protocol`, `${externalAuth.protocol} is not a protocol to ask over`, 'Use HTTP or GRPC.');
  const body = bodyOf(externalAuth, at);
  return 'code' in body ? body : compile(externalAuth, body, at, resolve);
}

/** What the type of the field (uint16) holds: other clients of the API could not read more. */
const maxBodySize = 65_535;

/** A larger body is refused (HTTPExternalAuthFilter.forwardBody) and never cut: half a body is not what is judged. */
function bodyOf({ forwardBody }: Given, at: string): Body | FilterFault {
  const { maxSize = 0 } = forwardBody ?? {};
  if (!Number.isInteger(maxSize) || maxSize < 0 || maxSize > maxBodySize)
    return unsupported(
      `${at}.forwardBody.maxSize`,
      `${maxSize} is not a number of bytes from 0 to ${maxBodySize}`,
      `Write at most ${maxBodySize}; requests with larger bodies are answered with 413.`,
    );
  return maxSize > 0 ? { body: { maxBytes: maxSize } } : {};
}

/** Always sent by themselves, whether they are listed or not. */
const sentAnyway: ReadonlySet<string> = new Set(['host', 'content-length', 'authorization']);

function overHttp({ http = {}, backendRef }: Given, body: Body, at: string, resolve: ResolveBackend): Compiled {
  const { path = '', allowedHeaders = [], allowedResponseHeaders = [] } = http;
  const problem = path === '' ? undefined : pathProblem(path);
  if (problem)
    return unsupported(`${at}.http.path`, problem, 'Write a path like /verify: it is put before that of the request.');
  const fault =
    headerFault(allowedHeaders, sentAnyway, `${at}.http.allowedHeaders`) ??
    headerFault(allowedResponseHeaders, none, `${at}.http.allowedResponseHeaders`);
  if (fault) return fault;
  const backend = resolve(backendRef, `${at}.backendRef`, 'HTTP');
  if (backend === undefined) return nobodyToAsk;
  const more = lowerCase(allowedHeaders).filter((name) => !sentAnyway.has(name));
  return {
    filter: {
      type: 'external-auth',
      backend,
      protocol: 'http',
      path: { type: 'prefix', value: path },
      requestHeaders: ['authorization', ...more],
      facts: [],
      setHeaders: [],
      ...body,
      sendsLength: true,
      admits: '200',
      responseHeaders: allowedResponseHeaders.length > 0 ? lowerCase(allowedResponseHeaders) : 'all',
      clientHeaders: { names: [] },
      denials: 'all',
    },
  };
}

function overGrpc({ grpc = {}, backendRef }: Given, body: Body, at: string, resolve: ResolveBackend): Compiled {
  const { allowedHeaders = [] } = grpc;
  const fault = headerFault(allowedHeaders, sentAnyway, `${at}.grpc.allowedHeaders`);
  if (fault) return fault;
  const backend = resolve(backendRef, `${at}.backendRef`, 'gRPC');
  if (backend === undefined) return nobodyToAsk;
  return {
    filter: {
      type: 'external-auth',
      protocol: 'grpc',
      backend,
      host: backendRef.port === undefined ? backendRef.name : `${backendRef.name}:${backendRef.port}`,
      requestHeaders: allowedHeaders.length > 0 ? lowerCase(allowedHeaders) : 'all',
      ...body,
    },
  };
}

const nobodyToAsk: Compiled = { closed: 'the service that says who may be let in cannot be asked' };

const lowerCase = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());

const none: ReadonlySet<string> = new Set();

/** They describe the connection or the framing, which are each side's own. */
const ofTheConnection: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

function headerFault(names: readonly string[], allowed: ReadonlySet<string>, at: string): FilterFault | undefined {
  for (const [i, name] of names.entries()) {
    const lower = name.toLowerCase();
    if (!headerName.test(name)) return unsupported(`${at}[${i}]`, `${JSON.stringify(name)} is not a header name`);
    if (ofTheConnection.has(lower) && !allowed.has(lower))
      return unsupported(
        `${at}[${i}]`,
        `${name} belongs to a connection and cannot be passed on`,
        'Take it out of the list.',
      );
  }
  return undefined;
}

/** As for paths of matches, whose rules hold here too (HTTPAuthConfig.path). */
function pathProblem(path: string): string | undefined {
  if (!/^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/.test(path))
    return `${JSON.stringify(path)} is not a path that begins with /`;
  if (/\/\/|\/\.\.?(?:\/|$)|%2f/i.test(path)) return `${JSON.stringify(path)} has //, /./, /../ or %2F`;
  return undefined;
}
