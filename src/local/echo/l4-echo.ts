/** TCP and UDP of echo Pods: bytes back as they came, and the test servers of the Gateway API conformance suite. */
import type { RemoteInfo } from 'node:dgram';
import type { Socket } from 'node:net';
import { type EchoPort, remoteOf, tlsAssertionsOf } from './connection.ts';
import type { EchoLimits } from './limits.ts';
import type { PodPort } from './pod-ports.ts';

/** Sends everything back; each side may finish first. */
export function echoTcp(socket: Socket, port: EchoPort, limits: EchoLimits): void {
  port.log(`Echoing back TCP connection to port ${port.port} to client (${remoteOf(socket)})`);
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  socket.pipe(socket);
}

/** Longest command line of the TCP test server; Go's line scanner gives up at the same length. */
const commandBytes = 65_536;

/** The conformance TCP server: greets first, then answers the lines PING, IS_TLS and TEST. */
export function serveTcpTest(socket: Socket, port: EchoPort, limits: EchoLimits): void {
  const tls = tlsAssertionsOf(socket);
  const commands: Readonly<Record<string, () => string>> = {
    PING: () => 'PONG',
    IS_TLS: () => String(tls !== undefined),
    TEST: () => JSON.stringify(tcpAssertions(port, tls)),
  };
  let rest = '';
  port.log(`Serving TCP commands on port ${port.port} to client (${remoteOf(socket)})`);
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  socket.setEncoding('latin1');
  socket.write('Gateway API Test TCP Server\n');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    if (rest.length > commandBytes) socket.destroy();
    const answers = lines
      .map((line) => line.replace(/\r$/, ''))
      .filter((line) => Object.hasOwn(commands, line))
      .map((line) => `${commands[line]!()}\n`);
    if (answers.length > 0 && !socket.write(answers.join(''))) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
  socket.resume();
}

function tcpAssertions(port: EchoPort, tls: ReturnType<typeof tlsAssertionsOf>) {
  return {
    ...port.identity,
    [tls ? 'tlsport' : 'tcpport']: String(port.port),
    isTLS: tls !== undefined,
    ...(tls && {
      tls: {
        // This server of the suite writes `TLS 1.3` where the HTTP one writes `TLSv1.3`.
        version: tls.version.replace('TLSv', 'TLS '),
        serverName: tls.serverName,
        ...(tls.negotiatedProtocol && { negotiatedProtocol: tls.negotiatedProtocol }),
        cipherSuite: tls.cipherSuite,
      },
    }),
  };
}

/** The datagram to answer with. */
export function udpAnswer(data: Buffer, from: RemoteInfo, port: PodPort, log: (text: string) => void): Buffer {
  if (port.speech !== 'udp-json') {
    log(`Echoing back UDP datagram of ${data.length} bytes to client (${from.address}:${from.port})`);
    return data;
  }
  const request = data.toString('utf8');
  log(`Received UDP ${request} from ${from.address}:${from.port}`);
  return Buffer.from(JSON.stringify({ request, ...port.identity }));
}
