/**
 * The other side of `swap.mjs`, on a thread of its own so that its pauses are not those of the data plane: a backend,
 * a client that asks without a rest for one route over a kept connection, and one that asks every millisecond for a
 * route that is to come.
 */
import { connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { addresses, backendPort, type Place, portOffset } from './swap-store.ts';

const port = parentPort!;
const steady = workerData as Place;
const milliseconds = () => Number(process.hrtime.bigint()) / 1e6;
const requestOf = ({ host, path }: Place) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const backend = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(answer.repeat(chunk.toString('latin1').split('\r\n\r\n').length - 1)));
  socket.on('error', () => socket.destroy());
});
await new Promise<void>((settle) => backend.listen(backendPort, addresses.backend, settle));

/** One question at a time over one connection; `ask` yields the status. */
function createAsker(place: Place) {
  let waiting: ((status: number) => void) | undefined;
  let failed: (error: Error) => void = () => {};
  const socket: Socket = connect(80 + portOffset, place.address);
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    const settle = waiting;
    waiting = undefined;
    settle?.(Number(chunk.toString('latin1').slice(9, 12)));
  });
  const fail = () => failed(new Error(`the connection to ${place.address} was closed`));
  socket.on('error', fail);
  socket.on('close', fail);
  return {
    ask: (text: string) =>
      new Promise<number>((settle, reject) => {
        waiting = settle;
        failed = reject;
        socket.write(text);
      }),
    close: () => socket.destroy(),
  };
}

/** Milliseconds that each request of the steady client took. */
let took: number[] = [];
let running = true;
async function askSteadily(): Promise<void> {
  const { ask, close } = createAsker(steady);
  const request = requestOf(steady);
  while (running) {
    const began = milliseconds();
    const status = await ask(request);
    took.push(milliseconds() - began);
    if (status !== 200) throw new Error(`the steady client got ${status}`);
    await new Promise((next) => setTimeout(next, 1));
  }
  close();
}

const pollers = new Map<string, ReturnType<typeof createAsker>>();

/** Asks every millisecond until the answer has the status. Resolves with the time of it, by the clock of all threads. */
async function poll(place: Place, wanted: number): Promise<number> {
  const known = pollers.get(place.address) ?? createAsker(place);
  pollers.set(place.address, known);
  const request = requestOf(place);
  const until = milliseconds() + 20_000;
  while (milliseconds() < until) {
    if ((await known.ask(request)) === wanted) return milliseconds();
    await new Promise((next) => setTimeout(next, 1));
  }
  throw new Error(`no ${wanted} for ${place.host}${place.path}`);
}

type Message =
  | { readonly type: 'steady' }
  | { readonly type: 'poll'; readonly place: Place; readonly status: number }
  | { readonly type: 'take' }
  | { readonly type: 'stop' };

let steadily: Promise<void> | undefined;
port.on('message', async (message: Message) => {
  if (message.type === 'steady') steadily = askSteadily();
  if (message.type === 'poll') port.postMessage({ type: 'seen', at: await poll(message.place, message.status) });
  if (message.type === 'take') {
    port.postMessage({ type: 'took', took });
    took = [];
  }
  if (message.type !== 'stop') return;
  running = false;
  // Its last request is to be answered while there is still somebody who does.
  await steadily;
  for (const { close } of pollers.values()) close();
  backend.close();
  port.postMessage({ type: 'stopped' });
  port.close();
});
port.postMessage({ type: 'ready' });
