/**
 * Where Fairway does not do what ingress-nginx did. Nothing else excuses a disagreement with nginx. What is done instead,
 * and why, is said in src/routing/ingress-nginx/differences.ts, and from there in docs/ingress-nginx.md.
 */
import type { largeDifferences, smallDifferences } from '../../src/routing/ingress-nginx/differences.ts';
import type { Disagreement } from './harness/compare.ts';
import type { Observed } from './harness/observe.ts';

export interface KnownDifference {
  readonly id: keyof typeof smallDifferences | keyof typeof largeDifferences;
  /** What may differ, as in `Disagreement.fields`. */
  readonly fields: RegExp;
  /** Which requests it concerns. */
  readonly covers: (found: Disagreement) => boolean;
}

const sent = ({ ask: { headers = [] } }: Disagreement, wanted: string) =>
  headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);

const isRefused = ({ fairway }: Disagreement) => fairway.status === 400;

const valueIn = ({ headers }: Observed, wanted: string) => headers.find(([name]) => name === wanted)?.[1] ?? '';
const locationOf = (observed: Observed) => valueIn(observed, 'location');
const withSmallHost = (url: string) => url.replace(/^https?:\/\/[^/?]*/, (start) => start.toLowerCase());
const challengeOf = (observed: Observed) => valueIn(observed, 'www-authenticate');
const cookiesOf = ({ headers }: Observed) =>
  headers.map(([name, value]) => (name === 'set-cookie' ? value.replaceAll(/; */g, ';') : '')).join('\n');

/** What a name with an optional port looks like; labels are not empty. */
const plainHost = /^([\w-]+\.)*[\w-]+\.?(:\d*)?$/;

/** Everything that comes of another course: status, backends, and what the response has or has not of the backend. */
const course = /^(status|backends|body|header .*)$/;

export const knownDifferences: readonly KnownDifference[] = [
  {
    id: 'forwarded-header',
    fields: /^[a-z]+ header forwarded$/,
    covers: (found) => sent(found, 'forwarded').length > 0,
  },
  {
    id: 'fragment-in-target',
    fields: course,
    covers: (found) => found.ask.target.includes('#') && isRefused(found),
  },
  {
    id: 'absolute-form',
    fields: /^[a-z]+ header (host|x-forwarded-host)$/,
    covers: ({ ask: { target } }) => /^[a-z]+:\/\//i.test(target),
  },
  {
    id: 'bytes-in-target',
    fields: course,
    covers: (found) => /[\x80-\xff]/.test(found.ask.target) && isRefused(found),
  },
  {
    id: 'scheme-in-target',
    fields: course,
    covers: (found) => /^(?!https?:)[a-z]+:\/\//i.test(found.ask.target) && isRefused(found),
  },
  {
    id: 'headers-of-copies',
    fields: /^copies header (x-forwarded-(for|host|port|proto|scheme)|x-real-ip|x-scheme|x-request-id|x-original-forwarded-(for|host)|proxy)$/, // biome-ignore format: one line
    covers: () => true,
  },
  {
    id: 'host-syntax',
    fields: course,
    covers: ({ ask: { host }, nginx, fairway }) =>
      !plainHost.test(host) && (nginx.status === 400 || fairway.status === 400),
  },
  {
    id: 'method-letters',
    fields: course,
    covers: ({ ask: { method = 'GET' }, nginx }) => /[^A-Z_-]/.test(method) && nginx.status === 400,
  },
  {
    id: 'hop-by-hop',
    fields: /^[a-z]+ header (proxy-connection|x-hop)$/,
    covers: (found) =>
      found.fields.every((field) => !field.endsWith('x-hop')) || sent(found, 'connection').join().includes('X-Hop'),
  },
  {
    id: 'upgrade-to-http2',
    fields: /^[a-z]+ header (upgrade|connection)$/,
    covers: (found) => sent(found, 'upgrade').includes('h2c'),
  },
  {
    id: 'rewrite-without-slash',
    fields: /^(status|[a-z]+ target)$/,
    covers: ({ nginx, fairway }) =>
      (nginx.status === 400 && fairway.status === 404) || nginx.seen.some(({ target }) => !target.startsWith('/')),
  },
  {
    id: 'letters-of-host',
    fields: /^header location$/,
    covers: (found) => /[A-Z]/.test(found.ask.host) && withSmallHost(locationOf(found.nginx)) === locationOf(found.fairway), // biome-ignore format: one line
  },
  {
    id: 'spaces-of-cookies',
    fields: /^header set-cookie$/,
    covers: ({ nginx, fairway }) => cookiesOf(nginx) === cookiesOf(fairway),
  },
  {
    id: 'charset-of-passwords',
    fields: /^header www-authenticate$/,
    covers: ({ nginx, fairway }) => `${challengeOf(nginx)}, charset="UTF-8"` === challengeOf(fairway),
  },
  {
    id: 'passwords-of-des',
    fields: course,
    covers: (found) => found.fairway.status === 401 && sent(found, 'authorization').some((value) => /^Basic ZGVz/.test(value)), // biome-ignore format: one line
  },
  {
    id: 'newline-at-the-end',
    fields: /^(status|backends|body|header .*|[a-z]+ (target|header .*))$/,
    covers: (found) => found.behaviour.startsWith('regex') && /%0A([?#]|$)/i.test(found.ask.target),
  },
  {
    id: 'forwarded-to-auth',
    fields: /^auth header x-forwarded-(host|port|prefix)$/,
    covers: ({ ask: { headers = [] } }) => headers.some(([name]) => /^x-forwarded-/i.test(name)),
  },
  {
    id: 'bodies-of-the-refused',
    fields: /^pages (body|header content-length)$/,
    covers: ({ fairway: { seen } }) =>
      !seen.some(({ backend }) => backend === 'alpha') &&
      seen.some(({ headers }) => headers.some(([name, value]) => name === 'x-code' && /^40[13]$/.test(value))),
  },
  {
    id: 'one-request-id',
    fields: /^pages header x-request-id$/,
    covers: ({ nginx }) => nginx.seen.some(({ headers }) => headers.filter(([name]) => name === 'x-request-id').length > 1), // biome-ignore format: one line
  },
  {
    id: 'length-of-nothing',
    fields: /^(auth|pages) header content-length$/,
    covers: ({ fairway }) => fairway.seen.some(({ backend, method, body }) => /^(auth|pages)$/.test(backend) && /^P/.test(method) && body === ''), // biome-ignore format: one line
  },
];

/** What no named difference accounts for, and the ids of those that account for something. */
export function explained(found: Disagreement): { readonly left: readonly string[]; readonly ids: readonly string[] } {
  let left = found.fields;
  const ids: string[] = [];
  for (const { id, fields, covers } of knownDifferences) {
    if (!left.some((field) => fields.test(field)) || !covers(found)) continue;
    left = left.filter((field) => !fields.test(field));
    ids.push(id);
  }
  return { left, ids };
}
