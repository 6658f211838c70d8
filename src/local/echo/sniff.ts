/** Finds out what a client speaks from its first bytes, without taking them away from whoever answers. */
import { METHODS } from 'node:http';
import type { Socket } from 'node:net';

export type ClientSpeech = 'http1' | 'http2' | 'tls' | 'tcp';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const methods = new Set(METHODS);
const longestMethod = Math.max(...METHODS.map((method) => method.length));
/** A request line longer than this is taken for HTTP by its method alone. */
const requestLineBytes = 8_192;

/**
 * What the first bytes begin: the HTTP/2 connection preface (RFC 9113 section 3.4), a TLS handshake record (RFC 8446
 * section 5.1), an HTTP/1.x request line with a known method, or anything else. Undefined while it is open.
 */
export function classify(head: Buffer): ClientSpeech | undefined {
  if (head.length === 0) return undefined;
  if (head[0] === 0x16) return head.length < 2 ? undefined : head[1] === 3 ? 'tls' : 'tcp';
  const known = Math.min(head.length, preface.length);
  if (head.compare(preface, 0, known, 0, known) === 0) return known === preface.length ? 'http2' : undefined;
  return classifyText(head.subarray(0, requestLineBytes).toString('latin1'));
}

function classifyText(text: string): 'http1' | 'tcp' | undefined {
  const method = /^[A-Z-]*/.exec(text)![0];
  if (method.length === text.length) {
    return method.length <= longestMethod && METHODS.some((known) => known.startsWith(method)) ? undefined : 'tcp';
  }
  if (text[method.length] !== ' ' || !methods.has(method)) return 'tcp';
  const end = text.indexOf('\n');
  if (end < 0) return text.length >= requestLineBytes ? 'http1' : undefined;
  return / HTTP\/1\.\d\r?$/.test(text.slice(0, end)) ? 'http1' : 'tcp';
}

export interface SniffOptions {
  /** From the first byte on, in ms: what is undecided by then is TCP. */
  sniffMs: number;
  /** A client that sends nothing for so long is cut off, in ms. */
  idleMs: number;
}

/**
 * Calls back once with what the client speaks; the socket is then paused with all bytes still to be read. Never calls
 * back for a client that leaves first.
 */
export function sniff(socket: Socket, options: SniffOptions, decided: (speech: ClientSpeech) => void): void {
  const chunks: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;

  function finish(speech: ClientSpeech): void {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('close', onClose);
    socket.setTimeout(0, onIdle);
    const head = Buffer.concat(chunks);
    if (head.length > 0) socket.unshift(head);
    decided(speech);
  }

  function onReadable(): void {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) chunks.push(chunk);
    if (chunks.length === 0) return;
    const speech = classify(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    if (speech) finish(speech);
    else timer ??= setTimeout(finish, options.sniffMs, 'tcp');
  }

  function onEnd(): void {
    // Nothing more will come; what came is not enough to be anything but bytes. It cannot be put back after the end.
    clearTimeout(timer);
    socket.end(Buffer.concat(chunks));
  }

  function onIdle(): void {
    socket.destroy();
  }

  function onClose(): void {
    clearTimeout(timer);
  }

  socket.setTimeout(options.idleMs, onIdle);
  socket.on('readable', onReadable);
  socket.once('end', onEnd);
  socket.once('close', onClose);
}
