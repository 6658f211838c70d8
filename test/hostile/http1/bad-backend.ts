/** A backend that answers request `/N` as row N of the tables says, and `/ok` as it should. */
import type { Socket } from 'node:net';
import { OK } from '../../../src/proxy/testing/backend.ts';
import { type Backdrop, listenRaw } from '../../../src/proxy/testing/sockets.ts';
import type { ResponseCase } from './response-case.ts';
import type { Target } from './run.ts';

export function badBackend({ address, port }: Target, cases: readonly ResponseCase[]): Promise<Backdrop> {
  return listenRaw(address, port, (socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const path = /^\w+ \/(\w+) /.exec(text)?.[1] ?? 'ok';
        text = text.slice(end + 4);
        const one = cases[Number(path)];
        if (one) play(socket, one);
        else socket.write(OK);
      }
    });
  });
}

function play(socket: Socket, one: ResponseCase): void {
  if (one.dripMs !== undefined) drip(socket, one.bytes, one.dripMs);
  else if (one.bytes === '') leave(socket, one.finally);
  else socket.write(one.bytes, 'latin1', () => leave(socket, one.finally));
}

function drip(socket: Socket, bytes: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === bytes.length) clearInterval(timer);
    else socket.write(bytes[at++]!, 'latin1');
  }, everyMs);
}

function leave(socket: Socket, how: ResponseCase['finally']): void {
  if (how === 'close') socket.end();
  // Later than the bytes, which a reset would overtake.
  else if (how === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
}
