/** Requests of chance: paths that the rules know, changed as clients, crawlers and attackers change them. */
import fc from 'fast-check';
import type { Ask } from './client.ts';

export interface Vocabulary {
  readonly hosts: readonly string[];
  /** Paths that the rules of the case know, and some near them. */
  readonly paths: readonly string[];
  /** Default: mostly GET. */
  readonly methods?: fc.Arbitrary<string>;
  readonly headers?: fc.Arbitrary<readonly (readonly [name: string, value: string])[]>;
  /** Default: some with one. */
  readonly bodies?: fc.Arbitrary<string | undefined>;
}

type Change = (path: string, at: number) => string;

const slashes = (path: string): number[] => [...path].flatMap((char, i) => (char === '/' ? [i] : []));
const insert = (path: string, at: number, text: string) => path.slice(0, at) + text + path.slice(at);
const pick = <T>(list: readonly T[], at: number): T => list[at % list.length]!;

/** Puts a text before one of the slashes, or at the end. */
const beforeSlash =
  (text: string): Change =>
  (path, at) =>
    insert(path, pick([...slashes(path), path.length], at), text);

/** What a path may become, as often as it stands here. */
const changes: readonly Change[] = [
  (path) => `${path}/`,
  (path) => `${path}/`,
  (path) => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path),
  (path) => `${path}x`,
  (path) => `${path}/more`,
  (path) => path.toUpperCase().replace(/%2f/gi, '%2F'),
  (path, at) =>
    path.replace(/[a-z]/g, (letter) => ((letter.charCodeAt(0) + at) % 3 === 0 ? letter.toUpperCase() : letter)),
  beforeSlash('/'),
  beforeSlash('//'),
  beforeSlash('/.'),
  beforeSlash('/..'),
  beforeSlash('/more/..'),
  beforeSlash('/%2e'),
  beforeSlash('/%2E%2e'),
  beforeSlash('/...'),
  (path, at) => {
    const slash = pick(slashes(path), at);
    return slash === 0 ? `${path}%2F` : `${path.slice(0, slash)}%2f${path.slice(slash + 1)}`;
  },
  (path, at) => {
    const i = 1 + (at % Math.max(1, path.length - 1));
    const char = path[i];
    return char && /[a-z]/.test(char)
      ? `${path.slice(0, i)}%${char.charCodeAt(0).toString(16)}${path.slice(i + 1)}`
      : path;
  },
  (path) => `${path}%20`,
  (path, at) => insert(path, pick([path.length, 1], at), pick(['%C3%A9', '+', '%25', '%3F', '%23', ';v=1', '~', '%7E', '$', "'", '(', '%5B', '@', ':', ',', '&', '=', '!', '*', '%0A', '%22', '%3c', '"', '<', '|', '\\', '^', '`', '{', '[', '\x7f'], at)), // biome-ignore format: one line
];

const queries = ['', '', '', '?a=1', '?', '?x=%2F..&y=//', '?q=a?b', '?a=1&a=2', '?%7e=+', '?b={1}'];

/** A path of the rules after none to three changes, with or without a query. */
export function targets(paths: readonly string[]): fc.Arbitrary<string> {
  const change = fc.record({ how: fc.constantFrom(...changes), at: fc.nat(1000) });
  return fc
    .record({
      path: fc.constantFrom(...paths),
      changed: fc.oneof(
        { weight: 2, arbitrary: fc.array(change, { maxLength: 0 }) },
        { weight: 8, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
      ),
      query: fc.constantFrom(...queries),
    })
    .map(({ path, changed, query }) => changed.reduce((now, { how, at }) => how(now, at), path) + query);
}

export const mostlyGet = fc.constantFrom('GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH');
export const onlyGet = fc.constant('GET');

const takesBody = (method: string) => method === 'POST' || method === 'PUT' || method === 'PATCH';

/** Header lines that clients and attackers send, few at a time. */
export const someHeaders: fc.Arbitrary<readonly (readonly [string, string])[]> = fc.subarray(
  [
    ['User-Agent', 'oracle/1'],
    ['Accept', 'text/html, */*;q=0.1'],
    ['X-Forwarded-For', '203.0.113.9'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'elsewhere.example'],
    ['X-Forwarded-Port', '8443'],
    ['X-Forwarded-Prefix', '/secret'],
    ['X-Request-ID', 'given-by-the-client'],
    ['X-Real-IP', '203.0.113.8'],
    ['Forwarded', 'for=203.0.113.7'],
    ['X-Scheme', 'ftp'],
    ['X-Original-URI', '/other'],
    ['X-Original-Forwarded-For', '203.0.113.6'],
    ['Proxy', 'http://evil.example'],
    ['X_Underscore', 'dropped'],
    ['Cookie', 'a=1; b=2'],
    ['Authorization', 'Bearer token'],
    ['Accept-Encoding', 'gzip'],
    ['Via', '1.1 somebody'],
    ['TE', 'trailers'],
    ['X-Custom', 'one'],
  ] as [string, string][],
  { maxLength: 5 },
);

export function requests({ hosts, paths, methods = mostlyGet, headers, bodies }: Vocabulary): fc.Arbitrary<Ask> {
  return fc
    .record({
      host: fc.constantFrom(...hosts),
      target: targets(paths),
      method: methods,
      headers: headers ?? fc.constant([]),
      body: bodies ?? fc.constantFrom(undefined, 'a=1', 'x'.repeat(100)),
    })
    .map(({ host, target, method, headers: lines, body }) => {
      const ask = { host, target, method, headers: lines };
      return takesBody(method) && body !== undefined ? { ...ask, body } : ask;
    });
}
