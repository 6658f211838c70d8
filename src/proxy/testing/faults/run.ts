/** Faulty backends and clients that vanish, in every combination, and the proof afterwards that nothing is held. */
import type { Certificate, Filter, Plan } from '../../../routing/plan/plan.ts';
import type { Endpoint } from '../../../service/endpoints.ts';
import type { ProxyOptions } from '../../options.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../plans.ts';
import { dial, shout } from '../sockets.ts';
import { type FaultyBackends, faults } from './backends.ts';
import { type Front, leavers } from './clients.ts';

/** Room of every limit but that of connections of clients, which have more: counts that drift show soon. */
export interface Room {
  readonly requests: number;
  readonly connections: number;
  /** How long a backend may be silent before it is given up. */
  readonly silenceMs: number;
}

/** Short times, so that nobody waits long for what hangs. */
export const faultyOptions = ({ requests, connections, silenceMs }: Room): ProxyOptions => ({
  client: {
    maxConnections: connections,
    headTimeoutMs: 3_000,
    bodyTimeoutMs: 300,
    keepAliveTimeoutMs: 300,
    sendTimeoutMs: 300,
    tlsHandshakeTimeoutMs: 3_000,
    lingerMs: 100,
    halfCloseGraceMs: 100,
  },
  upstream: {
    connectTimeoutMs: 400,
    responseTimeoutMs: silenceMs,
    idleTimeoutMs: 100,
    maxConnectionsPerEndpoint: requests,
  },
  filters: { maxMirrorCopies: requests, mirrorTimeoutMs: silenceMs },
  relay: { tunnelIdleTimeoutMs: 200 },
});

/** A route and a backend for each fault, counted by a concurrency limit and copied to the next fault. */
export function faultyPlan({ address, port, securePort }: Front, room: Room, certificate?: Certificate): Plan {
  const routes = faults.map(({ name }, at) =>
    route({
      id: name,
      match: { path: { type: 'prefix', value: `/${name}` } },
      filters: [counted(name, room.requests), copied(faults[(at + 1) % faults.length]!.name)],
      action: { type: 'forward', backends: [share(name)] },
    }),
  );
  const hosts = [host('*', routes)];
  const tls = certificate && { certificates: [{ serverName: '*', certificate: certificate.id }] };
  const secure = tls && securePort ? [listener(address, securePort, hosts, { protocol: 'HTTPS', tls })] : [];
  const backends = faults.flatMap(({ name }) => [backend(name), backend(mirrorOf(name))]);
  return planOf([listener(address, port, hosts), ...secure], backends, certificate ? [certificate] : []);
}

const counted = (zone: string, max: number): Filter => ({
  type: 'concurrency',
  zone,
  key: { by: 'zone' },
  max,
  status: 503,
});
/** One copy of so many requests. */
const COPY_EVERY = 4;
const copied = (name: string): Filter => ({
  type: 'mirror',
  backend: mirrorOf(name),
  fraction: { numerator: 1, denominator: COPY_EVERY },
});
const mirrorOf = (name: string) => `mirror-${name}`;

export function faultyEndpoints(
  address: string,
  { ports, mirrorPorts }: Pick<FaultyBackends, 'ports' | 'mirrorPorts'>,
): Record<string, readonly Endpoint[]> {
  return Object.fromEntries(
    faults.flatMap(({ name }) => [
      [name, [endpoint(address, ports[name]!)]],
      [mirrorOf(name), [endpoint(address, mirrorPorts[name]!)]],
    ]),
  );
}

export interface Round {
  readonly requests: number;
  readonly lanes: number;
  readonly silenceMs: number;
  /** A client that waited to the end was told something else than it should have been. */
  wrong(what: string): void;
}

/** Sends clients of all kinds to backends of all kinds; requests that a client pipelines are not counted. */
export async function attack(front: Front, { requests, lanes, silenceMs, wrong }: Round): Promise<void> {
  let next = 0;
  const stalls = watchForStalls(silenceMs / 3);
  const lane = async () => {
    while (next < requests) {
      const round = next++;
      const fault = faults[round % faults.length]!;
      const leaver = leavers[Math.floor(round / faults.length) % leavers.length]!;
      const began = performance.now();
      const problem = await leaver.visit(front, fault.name, round).then(
        (text) => (text === undefined || fault.outcome.test(text) ? undefined : JSON.stringify(brief(text))),
        (error: Error) => error.message,
      );
      if (problem !== undefined && stalls.last() < began) wrong(`${fault.name}, ${leaver.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  stalls.end();
}

/** Backends that are held up with this process are silent against their will: what they are blamed for then proves nothing. */
function watchForStalls(longMs: number): { last(): number; end(): void } {
  const every = 50;
  let seen = performance.now();
  let last = Number.NEGATIVE_INFINITY;
  const look = () => {
    const now = performance.now();
    if (now - seen > longMs + every) last = now;
    seen = now;
  };
  const timer = setInterval(look, every);
  return {
    last() {
      look();
      return last;
    },
    end: () => clearInterval(timer),
  };
}

/**
 * As many requests at once as each limit has room for: of connections to an endpoint, of requests under way, of
 * connections of clients; and of copies to mirrors as many as are due. One that is still held by something long gone would be missing. Returns what went wrong.
 */
export async function fillEveryLimit(front: Front, backends: FaultyBackends, room: Room): Promise<string[]> {
  const { requests } = room;
  await backends.behave(requests);
  const problems: string[] = [];
  for (const { name } of faults) {
    const ask = `GET /${name} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`;
    const one = () => shout(front.address, front.port, ask, 10_000).catch((error: Error) => error.message);
    const texts = await Promise.all(Array.from({ length: requests }, one));
    const bad = texts.filter((text) => !/\r\n\r\nok$/.test(text));
    if (bad.length > 0)
      problems.push(`${name}: ${bad.length} of ${requests} at once: ${JSON.stringify(brief(bad[0]!))}`);
  }
  const due = (faults.length * requests) / COPY_EVERY;
  if (backends.copies() !== due) problems.push(`${backends.copies()} copies of ${due} were made`);
  return [...problems, ...(await fillConnections(front, room))];
}

/** All connections that clients may have, open at once. */
async function fillConnections({ address, port }: Front, { connections }: Room): Promise<string[]> {
  const clients = await Promise.all(Array.from({ length: connections }, () => dial(address, port)));
  const ask = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';
  for (const client of clients) client.send(ask);
  const texts = await Promise.all(clients.map((client) => client.closed(10_000).catch(String)));
  for (const { socket } of clients) socket.destroy();
  const refused = texts.filter((text) => !/^HTTP\/1\.1 404 /.test(text)).length;
  return refused > 0 ? [`${refused} of ${connections} connections at once were refused`] : [];
}

/** The same for the same answer at another time. */
const brief = (text: string) => text.replace(/Date: .*\r\n/, '').slice(0, 250);
