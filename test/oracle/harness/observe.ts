/** One front as a client and its backends see it. */
import { type Answer, type Ask, type Client, createClient } from './client.ts';
import { type Backends, markHeader, type Seen, tellHeader } from './echo.ts';

/** What came of one request, without what may differ between two servers that behave alike. */
export interface Observed {
  readonly status: number;
  /** Of the response; names in lower case, sorted. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Only of responses that a backend gave. */
  readonly body?: string;
  /** Sorted by the backend's name. */
  readonly seen: readonly Seen[];
}

export interface Side {
  readonly name: string;
  /** Resolves when the client has its answer, to what looks at all that has come of it by then or later. */
  watch(ask: Ask): Promise<() => Observed>;
  observe(ask: Ask): Promise<Observed>;
  close(): void;
}

/** Of a response: what is the server's own affair, and framing. */
const serversOwn = new Set([
  ...['date', 'server', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'],
  ...['etag', 'last-modified', 'accept-ranges'],
]);

let questions = 0;

/** A front that listens there; requests come from `localAddress` unless they say otherwise. */
export function createSide(
  name: string,
  { address, port }: { readonly address: string; readonly port: number },
  backends: Backends,
  localAddress: string,
): Side {
  const client: Client = createClient(address, port, localAddress);
  async function watch(ask: Ask): Promise<() => Observed> {
    const mark = `${name}-${questions++}`;
    const answer = await client.ask(ask, [[markHeader, mark]]).catch(silence);
    return () => observed(answer, backends.seen(mark));
  }
  return { name, watch, observe: async (ask) => (await watch(ask))(), close: () => client.close() };
}

/** No answer, too, is something that the other front must show as well. */
const silence = (error: Error): Answer => ({ status: 0, headers: [['(no answer)', error.message]], body: '' });

function observed({ status, headers, body }: Answer, seen: readonly Seen[]): Observed {
  const isBackends = headers.some(([field]) => field === 'x-backend');
  const isOwn = (field: string) => serversOwn.has(field) || (field === 'content-type' && !isBackends);
  return {
    status,
    headers: sorted(headers.filter(([field]) => !isOwn(field))),
    ...(isBackends && { body }),
    seen: seen.map(seenRequest).sort(byBackend),
  };
}

const byBackend = (a: Seen, b: Seen) =>
  a.backend === b.backend ? (a.target < b.target ? -1 : 1) : a.backend < b.backend ? -1 : 1;

function seenRequest({ backend, method, target, headers, body }: Seen): Seen {
  const shown = headers
    .filter(([field]) => field !== markHeader && !field.startsWith(tellHeader('')) && field !== 'keep-alive')
    .filter(([field, value]) => field !== 'connection' || isUpgrade(value))
    .map(([field, value]) => [field, settled(field, value)] as const);
  return { backend, method, target, headers: sorted(shown), body };
}

/** What else a connection to a backend is told concerns the two ends of it only. */
const isUpgrade = (connection: string) => /upgrade/i.test(connection);

function settled(field: string, value: string): string {
  if (field === 'x-request-id') return withoutChance(value);
  // The names of options have no case (RFC 9110 section 7.6.1).
  return field === 'connection' ? value.toLowerCase() : value;
}

/** Identities of requests made up on the way differ by their nature, not by their form. */
function withoutChance(value: string): string {
  return /^[0-9a-f]{32}$/.test(value) ? '(32 hexadecimal digits)' : value;
}

function sorted(headers: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return [...headers].sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1));
}
