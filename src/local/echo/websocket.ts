/** WebSocket echo (RFC 6455): every frame comes back as it was, fragments as fragments. No extensions. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type EchoPort, remoteOf } from './connection.ts';
import type { EchoLimits } from './limits.ts';
import { closePayload, createFrameReader, encodeFrame, type Frame, isCloseCode, opcodes } from './websocket-frames.ts';

const handshakeSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Time for the client to close its side after the closing handshake, in ms. */
const closeGraceMs = 2_000;

/** Takes over a connection whose request offered `Upgrade: websocket`; bad handshakes are answered and closed. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  port: EchoPort,
  limits: EchoLimits,
): void {
  socket.on('error', () => socket.destroy());
  const fault = handshakeFault(request);
  if (fault) {
    socket.end(`HTTP/1.1 ${fault}\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return;
  }
  const key = request.headers['sec-websocket-key']!;
  const accept = createHash('sha1')
    .update(key + handshakeSuffix)
    .digest('base64');
  const protocol = (request.headers['sec-websocket-protocol'] ?? '').split(',', 1)[0]!.trim();
  const chosen =
    protocol && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(protocol) ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : '';
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
  );
  port.log(`Echoing WebSocket made to ${request.url} to client (${remoteOf(socket)})`);
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  echoFrames(socket, head, limits.webSocketFrameBytes);
}

/** Status line of the refusal (RFC 6455 section 4.2.1); undefined for a good handshake. */
function handshakeFault(request: IncomingMessage): string | undefined {
  if (request.method !== 'GET') return '405 Method Not Allowed';
  if (request.headers['sec-websocket-version'] !== '13') return '426 Upgrade Required';
  const key = request.headers['sec-websocket-key'] ?? '';
  return /^[+/0-9A-Za-z]{22}==$/.test(key) ? undefined : '400 Bad Request';
}

function echoFrames(socket: Socket, head: Buffer, maxPayload: number): void {
  const reader = createFrameReader(maxPayload);
  const checker = createMessageChecker();
  let closing = false;

  function close(payload: Buffer): void {
    closing = true;
    socket.end(encodeFrame({ fin: true, opcode: opcodes.close, payload }));
    // Without this, a client that never closes would keep the half-closed connection until it is idle for long.
    setTimeout(() => socket.destroy(), closeGraceMs).unref();
  }

  function take(frame: Frame): void {
    const fault = checker(frame);
    if (fault) close(closePayload(fault.code, fault.reason));
    else if (frame.opcode === opcodes.close) close(closeAnswer(frame.payload));
    else if (frame.opcode !== opcodes.pong) answer(frame);
  }

  function answer(frame: Frame): void {
    const opcode = frame.opcode === opcodes.ping ? opcodes.pong : frame.opcode;
    if (!socket.write(encodeFrame({ ...frame, opcode }))) socket.pause();
  }

  function drain(): void {
    // While the client does not read, its further frames stay in the socket: echoing must not pile up memory.
    while (!closing && !socket.isPaused()) {
      const result = reader.next();
      if (result.type === 'more') return;
      if (result.type === 'error') close(closePayload(result.error.code, result.error.reason));
      else take(result.frame);
    }
  }

  socket.on('data', (chunk: Buffer) => {
    if (closing) return;
    reader.push(chunk);
    drain();
  });
  socket.on('drain', () => {
    socket.resume();
    drain();
  });
  socket.on('end', () => socket.end());
  if (head.length > 0) reader.push(head);
  drain();
}

function closeAnswer(payload: Buffer): Buffer {
  if (payload.length === 0) return payload;
  const code = payload.length >= 2 ? payload.readUInt16BE() : 0;
  return isCloseCode(code) ? payload.subarray(0, 2) : closePayload(1002, 'bad close code');
}

/** Watches the order of fragments and that text is UTF-8 (RFC 6455 sections 5.4 and 8.1). */
function createMessageChecker(): (frame: Frame) => { code: 1002 | 1007; reason: string } | undefined {
  let message: 'none' | 'text' | 'binary' = 'none';
  let decoder = new TextDecoder('utf-8', { fatal: true });

  return (frame) => {
    if (frame.opcode >= 8) return undefined;
    const continues = frame.opcode === opcodes.continuation;
    if (continues === (message === 'none')) return { code: 1002, reason: 'fragments are out of order' };
    if (!continues) message = frame.opcode === opcodes.text ? 'text' : 'binary';
    const kind = message;
    if (frame.fin) message = 'none';
    if (kind !== 'text') return undefined;
    try {
      decoder.decode(frame.payload, { stream: !frame.fin });
      return undefined;
    } catch {
      decoder = new TextDecoder('utf-8', { fatal: true });
      return { code: 1007, reason: 'text is not UTF-8' };
    }
  };
}
