import { connect, createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createSockets, type SocketHandle } from './sockets.ts';

const address = '127.77.9.9';
const accept = (handle: SocketHandle) =>
  new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.end('hello'));
    server.listen(handle as unknown as Server, () => resolve(server));
  });

const visit = (port: number) =>
  new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, address);
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      text = error.code ?? '';
    });
  });

describe.skipIf(process.platform !== 'linux')('sockets for workers', () => {
  it('are bound and do not listen until a server takes them', async () => {
    const sockets = createSockets();
    const handle = sockets.take({ address, port: 8081 }) as SocketHandle;
    expect(sockets.take({ address, port: 8081 })).toBe(handle);
    expect(await visit(8081)).toBe('ECONNREFUSED');
    const server = await accept(handle);
    expect(await visit(8081)).toBe('hello');
    await new Promise((done) => server.close(done));
  });

  it('are let go when nobody wants them', async () => {
    const sockets = createSockets();
    const handles = [8081, 8082].map((port) => sockets.take({ address, port }));
    sockets.keepOnly([{ address, port: 8082 }]);
    expect(sockets.take({ address, port: 8082 })).toBe(handles[1]);
    expect(sockets.take({ address, port: 8081 })).not.toBe(handles[0]);
    sockets.keepOnly([]);
  });

  it('that cannot be had say why, as servers do', async () => {
    const sockets = createSockets();
    const server = createServer();
    await new Promise<void>((done) => server.listen(8083, address, done));
    expect(sockets.take({ address, port: 8083 })).toBe(`listen EADDRINUSE: address already in use ${address}:8083`);
    await new Promise((done) => server.close(done));
    expect(typeof sockets.take({ address, port: 8083 })).toBe('object');
    expect(sockets.take({ address: '192.0.2.1', port: 80 })).toBe(
      'listen EADDRNOTAVAIL: address not available 192.0.2.1:80',
    );
    expect(sockets.take({ address: 'localhost', port: 80 })).toBe('localhost is no IP address');
    sockets.keepOnly([]);
  });
});
