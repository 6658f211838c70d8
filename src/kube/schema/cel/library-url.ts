/** Kubernetes' CEL library for URLs (apiserver/pkg/cel/library/urls.go): absolute URIs and absolute paths. */
import type { Environment } from '@marcbachmann/cel-js';

export class UrlValue {
  readonly url: URL;
  /** `/path` without scheme and host. */
  readonly pathOnly: boolean;
  constructor(url: URL, pathOnly: boolean) {
    this.url = url;
    this.pathOnly = pathOnly;
  }
}

function parseUrl(text: string): UrlValue | undefined {
  if (text.startsWith('/')) {
    const full = `http://path.invalid${text}`;
    return URL.canParse(full) ? new UrlValue(new URL(full), true) : undefined;
  }
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text) ? new UrlValue(new URL(text), false) : undefined;
}

function urlOf(text: string): UrlValue {
  const value = parseUrl(text);
  if (!value) throw new Error(`URL parse error during conversion from string: ${JSON.stringify(text)}`);
  return value;
}

function queryOf({ url }: UrlValue): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const key of new Set(url.searchParams.keys())) query.set(key, url.searchParams.getAll(key));
  return query;
}

/** A part that paths without a host do not have. */
const hostPart = (read: (url: URL) => string) => (value: UrlValue) => (value.pathOnly ? '' : read(value.url));

export function registerUrl(environment: Environment): void {
  environment
    .registerType('kubernetes.URL', UrlValue)
    .registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
    .registerFunction('url(string): kubernetes.URL', urlOf)
    .registerFunction(
      'kubernetes.URL.getScheme(): string',
      hostPart((url) => url.protocol.slice(0, -1)),
    )
    .registerFunction(
      'kubernetes.URL.getHost(): string',
      hostPart((url) => url.host),
    )
    .registerFunction(
      'kubernetes.URL.getHostname(): string',
      hostPart((url) => url.hostname.replace(/^\[|\]$/g, '')),
    )
    .registerFunction(
      'kubernetes.URL.getPort(): string',
      hostPart((url) => url.port),
    )
    .registerFunction('kubernetes.URL.getEscapedPath(): string', ({ url }: UrlValue) => url.pathname)
    .registerFunction('kubernetes.URL.getQuery(): map<string, list<string>>', queryOf)
    .registerOperator('kubernetes.URL == kubernetes.URL', (a: UrlValue, b: UrlValue) => a.url.href === b.url.href);
}
