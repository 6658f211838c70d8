/** Clients of a soak. Each keeps what it must not lose (a connection, a transfer) and reports whatever is not as it should be. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Generations, Report } from './report.ts';
import { parseSaid, pattern } from './servers.ts';
import { FRESH_PATH, LIVE, ORDERED_PATH, servicePath, type World } from './world.ts';

export interface Surroundings {
  readonly world: World;
  readonly report: Report;
  readonly generations: Generations;
  /** Clients come to their end when this is true. */
  ended(): boolean;
}

export const sleep = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms));

/** Counts the connections of an agent, and those that end before the client is done. */
function watch(agent: Agent, { report, ended }: Surroundings, what: string): Agent {
  const create = agent.createConnection.bind(agent) as (...args: unknown[]) => Socket;
  Object.assign(agent, {
    createConnection: (...args: unknown[]) => {
      const socket = create(...args);
      report.count(`${what} connections`);
      socket.once('close', () => {
        if (!ended()) report.wrong(`${what}: a connection that was kept open was closed`);
      });
      return socket;
    },
  });
  return agent;
}

/** One request after the other on one connection; `pauseMs` between them. */
export async function keepAliveClient(around: Surroundings, seed: number, secure: boolean, pauseMs: number) {
  const what = secure ? 'https' : 'http';
  const kept = { keepAlive: true, maxSockets: 1, timeout: 0 };
  const agent = watch(secure ? new SecureAgent({ ...kept, rejectUnauthorized: false }) : new Agent(kept), around, what);
  await requests(around, what, seed, pauseMs, (asked) => ask(around.world, { ...asked, agent, secure }));
  agent.destroy();
}

/** A connection with prior knowledge that is to last. */
export function connectForAll(around: Surroundings): ClientHttp2Session {
  const { address, httpPort } = around.world.options;
  const session = connectHttp2(`http://${address}:${httpPort}`);
  around.report.count('http2 connections');
  const lost = (how: string) => !around.ended() && around.report.wrong(`http2: ${how}`);
  session.on('error', (error) => lost(error.message));
  session.on('goaway', (code) => lost(`GOAWAY ${code}`));
  session.on('close', () => lost('a connection that was kept open was closed'));
  return session;
}

/** The same over HTTP/2, `streams` at once. */
export async function http2Client(around: Surroundings, streams: number, pauseMs: number): Promise<void> {
  const session = connectForAll(around);
  await Promise.all(Array.from({ length: streams }, (_, seed) => http2Requests(around, session, seed, pauseMs)));
  session.destroy();
}

/** One request after the other on a connection that others use as well. */
export const http2Requests = (around: Surroundings, session: ClientHttp2Session, seed: number, pauseMs: number) =>
  requests(around, 'http2', seed, pauseMs, (asked) => askHttp2(session, around.world, asked));

/** Asks and judges until the end. */
async function requests(
  around: Surroundings,
  what: string,
  seed: number,
  pauseMs: number,
  send: (asked: Asked) => Promise<Got>,
): Promise<void> {
  for (let turn = 0; !around.ended(); turn++) {
    const problem = await judged(around, what, choose(around.world, seed, turn, what === 'https'), send).catch(
      (error: Error) => error.message,
    );
    if (problem) around.report.wrong(`${what}: ${problem}`);
    if (pauseMs > 0) await sleep(pauseMs);
  }
}

function choose({ options }: World, seed: number, turn: number, liveOnly: boolean): Asked {
  // Half of the requests go where every generation changes something.
  const anywhere = Math.imul(turn + 1, 2_654_435_761 + seed) >>> 0;
  const hostAt = liveOnly || turn % 2 === 0 ? anywhere % LIVE : anywhere % options.hosts;
  const paths = [ORDERED_PATH, FRESH_PATH, servicePath(anywhere % (options.routesPerHost - 3))];
  const body = turn % 5 === 0 ? pattern(0, anywhere % 20_000) : undefined;
  return { hostAt, path: paths[(turn + seed) % paths.length]!, body };
}

async function judged(
  { world, generations, report }: Surroundings,
  what: string,
  asked: Asked,
  send: (asked: Asked) => Promise<Got>,
): Promise<string | undefined> {
  const { hostAt, path, body } = asked;
  const from = generations.inForce;
  const began = performance.now();
  const answer = await send(asked);
  report.latency(performance.now() - began);
  report.count(`${what} requests`);
  const problem = judge(world, answer, { hostAt, path, bytes: body?.length ?? 0, from, to: generations.sent });
  return problem && `${path}: ${problem}`;
}

interface Asked {
  readonly hostAt: number;
  readonly path: string;
  readonly body: Buffer | undefined;
}

interface AskedBy extends Asked {
  readonly agent: Agent;
  readonly secure: boolean;
}

export function optionsOf(
  world: World,
  { agent, hostAt, path, secure }: AskedBy,
  more: RequestOptions = {},
): RequestOptions {
  const { address, httpPort, httpsPort } = world.options;
  const headers = { host: world.hostnames[hostAt]!, 'x-unwanted': 'removed by a filter' };
  const place = { host: address, port: secure ? httpsPort : httpPort, protocol: secure ? 'https:' : 'http:' };
  return Object.assign({ path, agent, headers, ...place, servername: world.hostnames[0] }, more);
}

interface Got {
  readonly status: number;
  readonly stamp: string | undefined;
  readonly secret: string | undefined;
  readonly text: string;
}

function ask(world: World, asked: AskedBy): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request(optionsOf(world, asked, { method: asked.body ? 'POST' : 'GET' }), (incoming) => {
      let text = '';
      incoming.setEncoding('latin1');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('error', reject);
      incoming.on('end', () => resolve(gotOf(incoming, text)));
    });
    outgoing.on('error', reject);
    outgoing.end(asked.body);
  });
}

async function askHttp2(session: ClientHttp2Session, world: World, { hostAt, path, body }: Asked): Promise<Got> {
  const headers = { ':authority': world.hostnames[hostAt]!, ':path': path, ':method': body ? 'POST' : 'GET' };
  const stream = session.request({ ...headers, 'x-unwanted': 'removed by a filter' }, { endStream: !body });
  if (body) stream.end(body);
  const [lines] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
  let text = '';
  for await (const chunk of stream) text += (chunk as Buffer).toString('latin1');
  const line = (name: string) => lines[name] as string | undefined;
  return { status: lines[':status'] ?? 0, stamp: line('x-plan'), secret: line('x-server-secret'), text };
}

function gotOf({ statusCode, headers }: IncomingMessage, text: string): Got {
  const line = (name: string) => headers[name] as string | undefined;
  return { status: statusCode ?? 0, stamp: line('x-plan'), secret: line('x-server-secret'), text };
}

interface Wanted {
  readonly hostAt: number;
  readonly path: string;
  readonly bytes: number;
  /** Generations that were in force while the answer was on its way. */
  readonly from: number;
  readonly to: number;
}

/** What is wrong with an answer; undefined when one plan among those in force gives it. */
export function judge(world: World, got: Got, { hostAt, path, bytes, from, to }: Wanted): string | undefined {
  if (got.status !== 200) return `status ${got.status}: ${got.text.trim().slice(0, 100)}`;
  const said = parseSaid(got.text);
  if (got.secret !== undefined) return 'a header that every plan removes came through';
  if (said.stamp !== got.stamp) return `request of ${said.stamp}, response of ${got.stamp}`;
  if (said.bytes !== bytes) return `${said.bytes} bytes of ${bytes} arrived`;
  const expected = world.answers(hostAt, path, from, to);
  const fits = expected.some(
    (one) => one.stamp === got.stamp && one.path === said.path && one.servers.has(said.server),
  );
  return fits ? undefined : `${got.text} is of no plan from ${from} to ${to}`;
}

/** A new TLS connection every `pauseMs`: its certificate must be one that was in force. */
export async function handshakeClient(around: Surroundings, pauseMs: number): Promise<void> {
  const { world, generations, report, ended } = around;
  const { address: host, httpsPort: port, certificates } = world.options;
  const names = certificates.map(({ id }) => id);
  while (!ended()) {
    const from = generations.inForce;
    const shown = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host, port, servername: world.hostnames[0]!, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject?.CN));
        socket.end();
      });
      socket.on('error', reject);
    }).catch((error: Error) => `no handshake: ${error.message}`);
    report.count('TLS handshakes');
    const inForce = new Set<string>();
    for (let at = from; at <= generations.sent; at++) inForce.add(names[at % names.length]!);
    if (!inForce.has(shown)) report.wrong(`TLS handshake: ${shown}, where ${[...inForce].join(' or ')} was in force`);
    await sleep(pauseMs);
  }
}

/** One WebSocket for the whole time, which must give back everything that it is sent, in order. */
export async function webSocketClient({ world, report, ended }: Surroundings, pauseMs: number): Promise<void> {
  const { address, httpPort } = world.options;
  const socket = new WebSocket(`ws://${address}:${httpPort}${servicePath(0)}`, {
    headers: { host: world.hostnames[0]! },
  });
  let received = 0;
  let sent = 0;
  socket.on('error', (error) => report.wrong(`WebSocket: ${error.message}`));
  socket.on('close', (code) => {
    if (!ended()) report.wrong(`WebSocket: closed with ${code}`);
  });
  socket.on('message', (data) => {
    if (String(data) !== `message ${received}`) report.wrong(`WebSocket: ${data} in place of message ${received}`);
    received++;
    report.count('WebSocket echoes');
  });
  await once(socket, 'open');
  while (!ended()) {
    socket.send(`message ${sent++}`);
    await sleep(pauseMs);
  }
  for (let i = 0; i < 200 && received < sent; i++) await sleep(10);
  if (received !== sent) report.wrong(`WebSocket: ${received} echoes of ${sent}`);
  socket.terminate();
}

/** One upload in chunks for the whole time; its answer must know every byte. */
export async function slowUpload(around: Surroundings, pauseMs: number, pieceBytes: number): Promise<void> {
  const { world, report, ended } = around;
  const agent = new Agent();
  const outgoing: ClientRequest = request(
    optionsOf(world, { agent, hostAt: 1, path: servicePath(1), secure: false, body: undefined }, { method: 'PUT' }),
  );
  const answered = answerTo(outgoing);
  const digest = createHash('sha1');
  let sent = 0;
  while (!ended() && !outgoing.destroyed) {
    const piece = pattern(sent, pieceBytes);
    digest.update(piece);
    sent += piece.length;
    outgoing.write(piece);
    report.count('bytes uploaded', piece.length);
    await sleep(pauseMs);
  }
  outgoing.end();
  const text = await answered.catch((error: Error) => `failed: ${error.message}`);
  const { bytes, digest: found } = parseSaid(text);
  if (bytes !== sent || found !== digest.digest('hex')) report.wrong(`upload of ${sent} bytes: ${text.slice(0, 200)}`);
  agent.destroy();
}

function answerTo(outgoing: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', async (incoming) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      resolve(text);
    });
  });
}
