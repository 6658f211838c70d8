/** Values of the annotations, each with what is right in its place. */
import { isIP } from 'node:net';
import { duration, type ValueReader, wholeNumber } from '../backend-policy/values.ts';
import { rewriteFault } from '../match/rewrite.ts';
import type { ContentCoding, LimitKey, RateLimitFilter, RegexRewrite } from '../plan/plan.ts';
import type { Retry } from '../plan/retry.ts';

/** Items of a list with commas, white space or both between them; an empty one has none. */
function itemsOf(text: string): readonly string[] {
  return text.split(/\s*,\s*|\s+/);
}

/** All items as `read` gives them, none twice; undefined when one is none. */
function listOf<T>(text: string, read: (item: string) => T | undefined): readonly T[] | undefined {
  const items = [...new Set(itemsOf(text))].map(read);
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** What the data plane takes for one: `10.0.0.0/8`, `10.0.0.1`, `fd00::/8`, `fd00::1`. */
function addressBlock(item: string): string | undefined {
  const [, address = '', bits = '0'] = /^([^/%]*)(?:\/([0-9]{1,3}))?$/.exec(item) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 6 ? 128 : 32) ? item : undefined;
}

export const addressBlocks: ValueReader<readonly string[]> = {
  read: (text) => listOf(text, addressBlock),
  expected: 'addresses and CIDRs such as 10.0.0.0/8, 192.0.2.7, fd00::/8',
};

/** Powers of ten by their suffix (Kubernetes resource.Quantity); of two with an `i`. */
const decimal: Readonly<Record<string, number>> = { '': 0, k: 3, M: 6, G: 9, T: 12, P: 15 };
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50 };

/** Bytes of a Kubernetes quantity. Fractions of a byte, as in `10m`, are not taken: they are mistakes for `10Mi`. */
export const bytes: ValueReader<number> = {
  read(text) {
    const [, number, suffix = ''] = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)(k|[MGTP]|[KMGTP]i)?$/.exec(text) ?? [];
    if (number === undefined) return undefined;
    const unit = suffix in binary ? 2 ** binary[suffix]! : 10 ** decimal[suffix]!;
    const value = Number(number) * unit;
    return Number.isSafeInteger(value) ? value : undefined;
  },
  expected: 'a whole number of bytes as a Kubernetes quantity, such as 512Ki, 10Mi or 1G',
};

/** What a header name may be (RFC 9110 section 5.6.2). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;

function limitKey(text: string): LimitKey | undefined {
  if (text === 'address') return { by: 'address' };
  if (text === 'all') return { by: 'zone' };
  const name = text.startsWith('header:') ? text.slice('header:'.length) : '';
  return token.test(name) ? { by: 'header', name: name.toLowerCase() } : undefined;
}

/** `WORD name=value name=value`: each name at most once and one of those known. */
function withOptions(
  text: string,
  known: readonly string[],
): { word: string; options: Map<string, string> } | undefined {
  const [word = '', ...rest] = text.split(/\s+/);
  const options = new Map<string, string>();
  for (const part of rest) {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined || !known.includes(name) || options.has(name)) return undefined;
    options.set(name, value);
  }
  return { word, options };
}

const periods: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const count = wholeNumber(1, 1_000_000);

type Rate = Pick<RateLimitFilter, 'requests' | 'perMs' | 'burst' | 'key'>;

/** Without a burst, all requests of a period may come at once. */
export const rate: ValueReader<Rate> = {
  read(text) {
    const { word, options } = withOptions(text, ['burst', 'by']) ?? { word: '', options: new Map<string, string>() };
    const [, number = '', period = ''] = /^([0-9]+)\/(s|m|h)$/.exec(word) ?? [];
    const requests = count.read(number);
    const given = options.get('burst');
    const burst = given === undefined ? (requests ?? 0) - 1 : wholeNumber(0, 1_000_000).read(given);
    const key = limitKey(options.get('by') ?? 'address');
    if (requests === undefined || burst === undefined || !key) return undefined;
    return { requests, perMs: periods[period]!, burst, key };
  },
  expected:
    'requests per second, minute or hour such as 10/s or 600/m, after which may stand burst=NUMBER and by=address, by=header:NAME or by=all',
};

interface Crowd {
  readonly max: number;
  readonly key: LimitKey;
}

export const crowd: ValueReader<Crowd> = {
  read(text) {
    const { word, options } = withOptions(text, ['by']) ?? { word: '', options: new Map<string, string>() };
    const max = count.read(word);
    const key = limitKey(options.get('by') ?? 'all');
    return max === undefined || !key ? undefined : { max, key };
  },
  expected: 'a whole number from 1 to 1000000, after which may stand by=all, by=address or by=header:NAME',
};

/** RFC 1123 subdomain, as names of Secrets are. */
export const secretName: ValueReader<string> = {
  read: (text) =>
    /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text) ? text : undefined,
  expected: 'the name of a Secret in the same namespace',
};

export const realm: ValueReader<string> = {
  read: (text) => (/^[\x20-\x7e]{1,128}$/.test(text) ? text : undefined),
  expected: '1 to 128 printable ASCII characters',
};

/** A port of a Service of the same namespace, and what is asked for there. */
export interface ServiceTarget {
  readonly service: string;
  readonly port: number;
  /** With its query, if it has one. */
  readonly path: string;
}

const servicePlace = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([0-9]{1,5})(\/[\x21\x22\x24-\x7e]*)?$/;

export const serviceTarget: ValueReader<ServiceTarget> = {
  read(text) {
    const [, service, port, path = '/'] = servicePlace.exec(text) ?? [];
    if (service === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
    return { service, port: Number(port), path };
  },
  expected: 'SERVICE:PORT or SERVICE:PORT/PATH, with a Service of the same namespace and the number of its port',
};

/** Those of the connection and of the framing, which the data plane has in hand. */
const connectionHeaders: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'host', 'keep-alive', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

function headerName(text: string): string | undefined {
  const name = text.toLowerCase();
  return token.test(name) && !connectionHeaders.has(name) ? name : undefined;
}

export const headerNames: ValueReader<'all' | readonly string[]> = {
  read: (text) => (text === '*' ? 'all' : listOf(text, headerName)),
  expected: 'names of headers, none of them of the connection, or * for all',
};

export const address: ValueReader<string> = {
  read: (text) => (/^https?:\/\/[A-Za-z0-9[][\x21-\x7e]{0,2047}$/.test(text) && URL.canParse(text) ? text : undefined),
  expected: 'a URL that begins with http:// or https://',
};

/** `LEFT -> RIGHT`. */
function aroundArrow(text: string): readonly [string, string] | undefined {
  const parts = text.split(/\s+->\s+/);
  return parts.length === 2 ? [parts[0]!, parts[1]!] : undefined;
}

export const rewrite: ValueReader<RegexRewrite> = {
  read(text) {
    const [pattern = '', replacement = ''] = aroundArrow(text) ?? [];
    if (!/^[\x21-\x7e]+$/.test(pattern) || !/^[\x21\x22\x24-\x7e]+$/.test(replacement)) return undefined;
    const made: RegexRewrite = { type: 'regex', pattern, replacement };
    return rewriteFault(made) === undefined ? made : undefined;
  },
  expected: 'PATTERN -> REPLACEMENT, such as ^/api/(.*) -> /$1, with a pattern of RE2 and groups that it has',
};

interface Pages extends ServiceTarget {
  readonly statuses: readonly number[];
}

const errorStatus = (text: string) => (/^[45][0-9]{2}$/.test(text) ? Number(text) : undefined);

export const pages: ValueReader<Pages> = {
  read(text) {
    const [left = '', right = ''] = aroundArrow(text) ?? [];
    const statuses = listOf(left, errorStatus);
    const target = serviceTarget.read(right);
    return statuses && target ? { statuses, ...target } : undefined;
  },
  expected: 'STATUSES -> SERVICE:PORT or STATUSES -> SERVICE:PORT/PATH, with statuses from 400 to 599',
};

const coding = (text: string): ContentCoding | undefined => (text === 'gzip' || text === 'br' ? text : undefined);

export const codings: ValueReader<readonly ContentCoding[]> = {
  read: (text) => listOf(text, coding),
  expected: 'gzip, br or both, the one preferred first',
};

const mediaType = (text: string) =>
  /^[!#$&^_.+\-0-9a-z]{1,127}\/(?:\*|[!#$&^_.+\-0-9a-z]{1,127})$/i.test(text) ? text.toLowerCase() : undefined;

export const mediaTypes: ValueReader<readonly string[]> = {
  read: (text) => listOf(text, mediaType),
  expected: 'media types such as text/html, application/json, text/*',
};

const retryStatus = (text: string) => (/^[45][0-9]{2}$/.test(text) ? Number(text) : undefined);

/** As `retry` of a rule of an HTTPRoute: for connections that break, time-outs, and the statuses listed. */
export const retry: ValueReader<Pick<Retry, 'attempts' | 'statuses'> & { readonly backoffMs?: number }> = {
  read(text) {
    const found = withOptions(text, ['codes', 'backoff']);
    const attempts = wholeNumber(1, 100).read(found?.word ?? '');
    const codes = found?.options.get('codes');
    const statuses = codes === undefined ? [] : listOf(codes, retryStatus);
    const backoff = found?.options.get('backoff');
    const backoffMs = backoff === undefined ? undefined : duration(1, '1ms').read(backoff);
    if (attempts === undefined || !statuses || (backoff !== undefined && backoffMs === undefined)) return undefined;
    return { attempts, statuses, ...(backoffMs !== undefined && { backoffMs }) };
  },
  expected: 'how many times from 1 to 100, after which may stand codes=502,503 and backoff=100ms',
};
