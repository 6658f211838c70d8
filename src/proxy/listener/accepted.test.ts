import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withOnread } from './accepted.ts';

const address = '127.77.15.3';
let server: Server;
let client: Socket;
let accepted: Socket;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(8080, address);
  await once(server, 'listening');
  const connection = once(server, 'connection');
  client = connect(8080, address);
  [accepted] = (await connection) as [Socket];
});

afterEach(() => {
  client.destroy();
  accepted.destroy();
  server.close();
});

const openConnections = () => new Promise<number>((settle) => server.getConnections((_error, count) => settle(count)));

describe('an accepted connection', () => {
  it('is read into the buffer that is given, and stays one of its server', async () => {
    const buffer = Buffer.alloc(16);
    const texts: string[] = [];
    const take = (length: number, bytes: Uint8Array) => {
      expect(bytes).toBe(buffer);
      texts.push(buffer.toString('latin1', 0, length));
      return true;
    };
    const socket = withOnread(accepted, { buffer, callback: take })!;
    expect(socket.remotePort).toBe(client.localPort);
    expect(await openConnections()).toBe(1);
    client.end('longer than the buffer');
    await once(socket, 'end');
    expect(texts.join('')).toBe('longer than the buffer');
    expect(texts.length).toBeGreaterThan(1);
    // Half open: what is written still arrives.
    const answer = once(client, 'data');
    const closed = once(socket, 'close');
    socket.end('answer');
    expect(String((await answer)[0])).toBe('answer');
    await closed;
    expect(await openConnections()).toBe(0);
  });

  it('stays as it is where node:net is not as expected', async () => {
    const { _handle: handle } = accepted as unknown as { _handle: Record<string, unknown> };
    Object.defineProperty(handle, 'useUserBuffer', { value: undefined });
    expect(withOnread(accepted, { buffer: Buffer.alloc(16), callback: () => true })).toBeUndefined();
    const data = once(accepted, 'data');
    accepted.resume();
    client.write('as ever');
    expect(String((await data)[0])).toBe('as ever');
  });
});
