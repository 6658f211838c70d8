/**
 * Plans and endpoints that change all the time under clients that check every answer. Servers and clients run in this
 * process; the data plane runs wherever `subject` says.
 */
import {
  handshakeClient,
  http2Client,
  keepAliveClient,
  type Surroundings,
  slowUpload,
  webSocketClient,
} from './clients.ts';
import { slowDownload, slowHttp2Downloads } from './downloads.ts';
import { createReport, type Generations, type Report } from './report.ts';
import { createServers } from './servers.ts';
import type { World } from './world.ts';

/** The data plane that is soaked. */
export interface Subject {
  /** Puts the plan and the endpoints of a generation in force; resolves when they are. */
  swap(generation: number): Promise<void>;
}

export interface SoakOptions {
  readonly world: World;
  readonly subject: Subject;
  readonly swaps: number;
  /** At least so long from one swap to the next. */
  readonly swapEveryMs: number;
  readonly httpClients: number;
  readonly httpsClients: number;
  /** Streams of the HTTP/2 connection; 0 makes none. */
  readonly http2Streams: number;
  /** Between two requests of a client. */
  readonly pauseMs: number;
  /** Called after so many swaps, for measuring. */
  onSwap?(done: number): Promise<void> | void;
}

export interface SoakResult {
  readonly report: Report;
  readonly swapMs: readonly number[];
}

const sleep = (ms: number) => new Promise<void>((resume) => setTimeout(resume, ms));

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { world, subject } = options;
  const { address, firstServerPort, servers: count } = world.options;
  const servers = createServers(address, firstServerPort);
  for (let at = 0; at < count; at++) if (at !== world.away(0)) await servers.start(at);
  await subject.swap(0);
  const report = createReport();
  const generations: Generations = { inForce: 0, sent: 0 };
  let over = false;
  const around: Surroundings = { world, report, generations, ended: () => over };
  const clients = startClients(around, options);
  const swapMs: number[] = [];
  try {
    for (let generation = 1; generation <= options.swaps; generation++) {
      const began = performance.now();
      await turn(generation);
      swapMs.push(performance.now() - began);
      await options.onSwap?.(generation);
      await sleep(Math.max(1, options.swapEveryMs - (performance.now() - began)));
    }
  } finally {
    over = true;
    servers.finish();
    await clients;
    await servers.close();
  }
  return { report, swapMs };

  async function turn(generation: number): Promise<void> {
    const [before, now] = [world.away(generation - 1), world.away(generation)];
    if (before !== now) await servers.start(before);
    generations.sent = generation;
    await subject.swap(generation);
    generations.inForce = generation;
    if (before !== now) await servers.stop(now);
  }
}

function startClients(around: Surroundings, options: SoakOptions): Promise<unknown> {
  const { httpClients, httpsClients, http2Streams, pauseMs } = options;
  const many = (count: number, secure: boolean) =>
    Array.from({ length: count }, (_, seed) => keepAliveClient(around, seed, secure, pauseMs));
  const fails = (error: Error) => around.report.wrong(`a client failed: ${error.stack}`);
  const all = [
    ...many(httpClients, false),
    ...many(httpsClients, true),
    ...(httpsClients > 0 ? [handshakeClient(around, 40)] : []),
    ...(http2Streams > 0 ? [http2Client(around, http2Streams, pauseMs), slowHttp2Downloads(around, 8, 20)] : []),
    webSocketClient(around, 20),
    slowUpload(around, 20, 4_096),
    slowDownload(around, 20),
  ];
  return Promise.all(all.map((one) => one.catch(fails)));
}
