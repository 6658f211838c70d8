/** A URL and options of the command line to the request that is explained. */
import { err, ok, type Result } from '../../base/result.ts';
import type { ExplainRequest } from './types.ts';

export interface RequestOptions {
  url: string;
  method?: string;
  /** `Name: value`, as curl takes them. */
  headers?: readonly string[];
  from?: string;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** `api.example.com/v1` is taken as http. The path stays byte for byte as given: normalising it would explain another request. */
export function parseRequest(options: RequestOptions): Result<ExplainRequest, string> {
  const match = /^(?:(https?):\/\/)?([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(options.url.trim());
  if (!match) return err(`not a URL: ${options.url}`);
  const scheme = (match[1]?.toLowerCase() ?? 'http') as 'http' | 'https';
  const authority = /^(?:[^@]*@)?(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(match[2]!);
  if (!authority) return err(`not a host: ${match[2]}`);
  const port = authority[2] === undefined ? (scheme === 'https' ? 443 : 80) : Number(authority[2]);
  if (port < 1 || port > 65535) return err(`not a port: ${authority[2]}`);
  const headers: [string, string][] = [];
  for (const line of options.headers ?? []) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (!token.test(name)) return err(`not a header, write it as "Name: value": ${line}`);
    headers.push([name, line.slice(colon + 1).trim()]);
  }
  const method = (options.method ?? 'GET').toUpperCase();
  if (!token.test(method)) return err(`not a method: ${options.method}`);
  const from = options.from ?? 'internet';
  if (from !== 'internet' && !/^[^/]+\/[^/]+$/.test(from))
    return err(`--from takes "internet" or NAMESPACE/POD, not ${from}`);
  return ok({
    scheme,
    hostname: authority[1]!.toLowerCase().replace(/\.$/, ''),
    port,
    path: match[3] === '' ? '/' : match[3]!,
    query: match[4] ?? '',
    method,
    headers,
    from,
  });
}

/** The Host that the data plane sees: the Host header given, else the URL's host. */
export function hostOf(request: ExplainRequest): string {
  return request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? request.hostname;
}
