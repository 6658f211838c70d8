/** A URL and options of the command line to the request that is explained. */
import { isIP } from 'node:net';
import { err, ok, type Result } from '../../base/result.ts';
import { isGrpc } from '../../proxy/exchange/grpc.ts';
import type { ExplainRequest } from './types.ts';

export interface RequestOptions {
  url: string;
  method?: string;
  /** `Name: value`, as curl takes them. */
  headers?: readonly string[];
  from?: string;
  /** An address. */
  client?: string;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * `api.example.com/v1` is taken as http; `grpc://` and `grpcs://` are calls, whose path is service and method. The path
 * stays byte for byte as given: normalising it would explain another request.
 */
export function parseRequest(options: RequestOptions): Result<ExplainRequest, string> {
  const match = /^(?:(https?|grpcs?):\/\/)?([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(options.url.trim());
  if (!match) return err(`not a URL: ${options.url}`);
  const asked = match[1]?.toLowerCase() ?? 'http';
  const scheme = asked.endsWith('s') ? 'https' : 'http';
  const authority = /^(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(match[2]!);
  if (!authority) return err(`not a host: ${match[2]}`);
  const port = authority[2] === undefined ? (scheme === 'https' ? 443 : 80) : Number(authority[2]);
  if (port < 1 || port > 65535) return err(`not a port: ${authority[2]}`);
  const headers = parseHeaders(options.headers ?? []);
  if (!headers.ok) return headers;
  const method = parseMethod(options.method ?? 'GET', asked.startsWith('grpc'));
  if (!method.ok) return method;
  const from = options.from ?? 'internet';
  if (from !== 'internet' && !/^[^/]+\/[^/]+$/.test(from))
    return err(`--from takes "internet" or NAMESPACE/POD, not ${from}`);
  const { client } = options;
  if (client !== undefined && isIP(client) === 0) return err(`--client takes an address, not ${client}`);
  return ok({
    scheme,
    hostname: authority[1]!.toLowerCase().replace(/\.$/, ''),
    port,
    path: match[3] === '' ? '/' : match[3]!,
    query: match[4] ?? '',
    ...asCall(method.value, headers.value, asked.startsWith('grpc')),
    from,
    ...(client !== undefined && { client }),
  });
}

function parseHeaders(lines: readonly string[]): Result<[name: string, value: string][], string> {
  const headers: [string, string][] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (!token.test(name)) return err(`not a header, write it as "Name: value": ${line}`);
    headers.push([name, line.slice(colon + 1).trim()]);
  }
  return ok(headers);
}

/** GET is what is asked for when nothing is. */
function parseMethod(given: string, isCall: boolean): Result<string, string> {
  const method = given.toUpperCase();
  if (!token.test(method)) return err(`not a method: ${given}`);
  if (isCall && method !== 'GET' && method !== 'POST') return err(`a gRPC call is sent with POST, not ${method}`);
  return ok(isCall ? 'POST' : method);
}

type Told = Pick<ExplainRequest, 'method' | 'headers' | 'grpc'>;

/** A POST with a content type of gRPC is a call whatever the scheme. */
function asCall(method: string, given: Told['headers'], isCall: boolean): Told {
  const typed = given.some(([name]) => name.toLowerCase() === 'content-type');
  const headers: Told['headers'] = isCall && !typed ? [...given, ['content-type', 'application/grpc']] : given;
  const lookup = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  return { method, headers, grpc: method === 'POST' && isGrpc({ headers: lookup }) };
}

/** The scheme as a user writes it. */
export function schemeOf({ scheme, grpc }: ExplainRequest): string {
  if (!grpc) return scheme;
  return scheme === 'https' ? 'grpcs' : 'grpc';
}

/** The Host that the data plane sees: the Host header given, else the URL's host. */
export function hostOf(request: ExplainRequest): string {
  return request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? request.hostname;
}
