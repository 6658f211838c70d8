/** What a client comes for, known before its handshake begins. */
import type { Socket } from 'node:net';
import type { Settings } from '../options.ts';
import { type ClientHello, createHelloReader } from '../stream/client-hello.ts';

/** As `readHello`; `go` gets the name, undefined for a client that names none. */
export function readServerName(
  socket: Socket,
  settings: Pick<Settings, 'client' | 'stream'>,
  go: (serverName: string | undefined) => void,
): void {
  readHello(socket, settings, (hello) => go(hello?.serverName));
}

/**
 * Reads the ClientHello and puts it back. `go` gets it, or undefined when the client's bytes are none: the handshake that
 * follows tells it so. A client that takes too long is closed.
 */
export function readHello(
  socket: Socket,
  { client, stream }: Pick<Settings, 'client' | 'stream'>,
  go: (hello: ClientHello | undefined) => void,
): void {
  const reader = createHelloReader(stream.maxHelloBytes);
  const chunks: Buffer[] = [];
  const timer = setTimeout(() => socket.destroy(), client.tlsHandshakeTimeoutMs);
  const leave = () => {
    clearTimeout(timer);
    socket.off('data', take).off('end', onEnd).off('close', leave).off('error', ignoreError);
  };
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    const outcome = reader.push(chunk);
    if (!outcome) return;
    leave();
    socket.pause();
    socket.unshift(Buffer.concat(chunks));
    go(outcome.kind === 'hello' ? outcome : undefined);
  };
  const onEnd = () => {
    leave();
    socket.destroy();
  };
  socket.on('data', take).on('end', onEnd).on('close', leave).on('error', ignoreError);
  // Whoever has read it before has left it paused.
  socket.resume();
}

/** What an error means is said by the close that follows it. */
function ignoreError(): void {}
