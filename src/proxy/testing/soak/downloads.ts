/** Downloads of a soak that last as long as it does, read more slowly than they are sent: every byte must be that of its place. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connectForAll, http2Requests, optionsOf, type Surroundings, sleep } from './clients.ts';
import { pattern } from './servers.ts';
import { servicePath } from './world.ts';

const HOST_AT = 2;
const PATH = `${servicePath(HOST_AT)}?download`;

/** One over HTTP/1.1. */
export async function slowDownload(around: Surroundings, pauseMs: number): Promise<void> {
  const agent = new Agent();
  const asked = { agent, hostAt: HOST_AT, path: PATH, secure: false, body: undefined };
  const outgoing = request(optionsOf(around.world, asked)).end();
  await judged(around, 'download', async () => {
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    if (incoming.statusCode !== 200) throw new Error(`status ${incoming.statusCode}`);
    const received = await read(around, 'bytes downloaded', incoming, pauseMs);
    if (!incoming.complete) throw new Error(`cut after ${received} bytes`);
  });
  agent.destroy();
}

/** Several over one connection of HTTP/2, each held back by its own window, with requests that come and go beside them. */
export async function slowHttp2Downloads(around: Surroundings, streams: number, pauseMs: number): Promise<void> {
  const session = connectForAll(around);
  const headers = { ':authority': around.world.hostnames[HOST_AT]!, ':path': PATH };
  const one = () =>
    judged(around, 'http2 download', async () => {
      const stream = session.request(headers);
      const [{ ':status': status }] = await once(stream, 'response');
      if (status !== 200) throw new Error(`status ${status}`);
      const received = await read(around, 'bytes downloaded over http2', stream, pauseMs);
      // Streams that are reset with CANCEL end like any other.
      if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode} after ${received} bytes`);
    });
  const asking = http2Requests(around, session, streams, pauseMs);
  await Promise.all([asking, ...Array.from({ length: streams }, one)]);
  session.destroy();
}

async function judged({ report }: Surroundings, what: string, download: () => Promise<void>): Promise<void> {
  try {
    await download();
  } catch (error) {
    report.wrong(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads to the end; yields how many bytes there were. */
async function read(
  { report, ended }: Surroundings,
  counted: string,
  source: AsyncIterable<Buffer>,
  pauseMs: number,
): Promise<number> {
  let received = 0;
  for await (const chunk of source) {
    if (!chunk.equals(pattern(received, chunk.length))) throw new Error(`wrong bytes after ${received}`);
    received += chunk.length;
    report.count(counted, chunk.length);
    if (!ended()) await sleep(pauseMs);
  }
  return received;
}
