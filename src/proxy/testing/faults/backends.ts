/** Backends that do everything wrong, one port for each way, and that can be told to behave. */
import type { Socket } from 'node:net';
import { type Backdrop, listenRaw } from '../sockets.ts';

export interface Fault {
  readonly name: string;
  /** What it does with a connection; undefined: nobody listens. */
  readonly play: ((socket: Socket) => void) | undefined;
  /** What a client that waits to the end is told: all that the data plane sends on the connection. */
  readonly outcome: RegExp;
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BIG = 262_144;
const gateway = (status: number) => new RegExp(`^HTTP/1\\.1 ${status} `);
/** Whole, or given up for one of the reasons of a gateway. */
const okOr = (...statuses: number[]) => new RegExp(`^HTTP/1\\.1 (200 .*\\r\\n\\r\\nok$|(${statuses.join('|')}) )`, 's');

/** At the first bytes of a request. */
const onRequest = (then: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => then(socket));
};
/** At the first bytes of every request, where none is longer than one segment. */
const onEach = (then: (socket: Socket) => void) => (socket: Socket) => {
  socket.on('data', () => then(socket));
};
const says = (text: string, then: (socket: Socket) => void = () => {}) =>
  onRequest((socket) => socket.write(text, 'latin1', () => then(socket)));
/** After the bytes, which a reset would overtake. */
const resetSoon = (socket: Socket) => {
  setTimeout(() => socket.resetAndDestroy(), 2);
};

const unasked = (socket: Socket) => {
  socket.write(OK);
  socket.on('data', () => socket.write(OK));
};

/** Until long after the data plane must have given up: what is closed then is noticed, what is not stays. */
const neverReads = (socket: Socket) => {
  socket.pause();
  setTimeout(() => socket.resume(), 1_000).unref();
};

export const faults: readonly Fault[] = [
  { name: 'healthy', play: onEach((socket) => socket.write(OK)), outcome: okOr(502) },
  { name: 'refuses', play: undefined, outcome: gateway(502) },
  { name: 'hangs', play: () => {}, outcome: gateway(504) },
  { name: 'resets-at-once', play: (socket) => socket.resetAndDestroy(), outcome: gateway(502) },
  { name: 'resets-on-request', play: onRequest((socket) => socket.resetAndDestroy()), outcome: gateway(502) },
  { name: 'resets-in-head', play: says('HTTP/1.1 200 OK\r\nConte', resetSoon), outcome: gateway(502) },
  { name: 'hangs-in-head', play: says('HTTP/1.1 200 OK\r\nConte'), outcome: gateway(504) },
  {
    name: 'resets-in-body',
    play: says('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', resetSoon),
    outcome: /^HTTP\/1\.1 (200 .*\r\n\r\n(half)?$|502 )/s,
  },
  {
    name: 'hangs-in-body',
    play: says('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    outcome: /^HTTP\/1\.1 200 .*\r\n\r\nhalf$/s,
  },
  {
    name: 'promises-more',
    play: says('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', (socket) => socket.end()),
    outcome: /^HTTP\/1\.1 (200 .*\r\n\r\n(half)?$|502 )/s,
  },
  { name: 'sends-more', play: says(`${OK} and more than it said`), outcome: okOr(502) },
  { name: 'answers-twice', play: onEach((socket) => socket.write(`${OK}${OK}`)), outcome: okOr(502) },
  { name: 'answers-unasked', play: unasked, outcome: okOr(502) },
  { name: 'endless-head', play: onRequest((socket) => shout(socket, 'HTTP/1.1 200 OK\r\n')), outcome: gateway(502) },
  { name: 'endless-1xx', play: onRequest((socket) => shout(socket, '', INFORMATIONAL)), outcome: /HTTP\/1\.1 502 / },
  { name: 'closes-idle', play: onEach((socket) => socket.write(OK, () => socket.end())), outcome: okOr(502) },
  {
    name: 'resets-idle',
    play: onEach((socket) => socket.write(OK, () => setImmediate(() => socket.resetAndDestroy()))),
    outcome: okOr(502),
  },
  { name: 'never-reads', play: neverReads, outcome: gateway(504) },
  {
    name: 'bad-chunk',
    play: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n'),
    outcome: /^HTTP\/1\.1 (200 |502 )/,
  },
  {
    name: 'early-refusal',
    play: says('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n', (socket) => socket.end()),
    outcome: /^HTTP\/1\.1 (413|502) /,
  },
  {
    name: 'big',
    play: onEach((socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n${'x'.repeat(BIG)}`)),
    outcome: /^HTTP\/1\.1 (200 .*\r\n\r\nx{262144}$|502 )/s,
  },
  {
    name: 'switches',
    play: says('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhi', resetSoon),
    outcome: /^HTTP\/1\.1 (101|502) /,
  },
];

const INFORMATIONAL = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(50);
/** Of an endless head; nobody takes all of them. */
const ENDLESS_BYTES = 100 * 1_048_576;

/** Says the same over and over until the other side has had enough. */
function shout(socket: Socket, first: string, again = `X-Endless: ${'a'.repeat(1_000)}\r\n`): void {
  socket.write(first);
  let sent = 0;
  const more = () => {
    while (!socket.destroyed && sent < ENDLESS_BYTES) {
      sent += again.length;
      if (!socket.write(again)) return;
    }
  };
  socket.on('drain', more);
  more();
}

/** Port of a fault for mirrors, which must not be taken for the backends that are asked. */
const MIRROR_OFFSET = 100;

export interface FaultyBackends {
  /** Port of each fault, by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** The same for mirrors. */
  readonly mirrorPorts: Readonly<Record<string, number>>;
  /**
   * Everybody listens from now on. Backends answer only when `count` requests wait at the same one, so that these are
   * under way at the same time; mirrors answer at once.
   */
  behave(count: number): Promise<void>;
  /** Requests that mirrors got since they behave. */
  copies(): number;
  close(): Promise<void>;
}

export async function faultyBackends(address: string, firstPort: number): Promise<FaultyBackends> {
  const ports = Object.fromEntries(faults.map(({ name }, at) => [name, firstPort + at]));
  const mirrorPorts = Object.fromEntries(faults.map(({ name }, at) => [name, firstPort + MIRROR_OFFSET + at]));
  const backdrops: Backdrop[] = [];
  let together: number | undefined;
  let copies = 0;

  const listen = async (port: number, play: Fault['play'], behave: (socket: Socket) => void) => {
    const accept = (socket: Socket) => (together === undefined ? play?.(socket) : behave(socket));
    backdrops.push(await listenRaw(address, port, accept));
  };
  const listenBoth = async ({ name, play }: Fault) => {
    await listen(
      ports[name]!,
      play,
      holder(() => together),
    );
    await listen(mirrorPorts[name]!, play, (socket) =>
      socket.on('data', () => {
        copies++;
        socket.write(OK);
      }),
    );
  };
  for (const fault of faults) if (fault.play) await listenBoth(fault);
  return {
    ports,
    mirrorPorts,
    async behave(count) {
      together = count;
      for (const backdrop of backdrops) await backdrop.drop();
      for (const fault of faults) if (!fault.play) await listenBoth(fault);
    },
    copies: () => copies,
    async close() {
      for (const backdrop of backdrops) await backdrop.close();
    },
  };
}

/** Keeps requests waiting until there are enough of them. */
function holder(enough: () => number | undefined): (socket: Socket) => void {
  const waiting: Socket[] = [];
  return (socket) =>
    socket.on('data', () => {
      waiting.push(socket);
      if (waiting.length === enough()) for (const one of waiting.splice(0)) one.end(OK);
    });
}
