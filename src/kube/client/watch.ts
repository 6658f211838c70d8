/**
 * One watch: a stream of `metav1.WatchEvent` lines. Hands events over as they come, in the same turn of the event
 * loop, and says at the end why it ended. Nothing that the server sends is trusted to be whole, short or sensible.
 */
import type { IncomingMessage } from 'node:http';
import { isNestedTooDeep } from '../../base/nesting.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeObject } from '../types/index.ts';
import { type ApiError, errorOfStatus } from './api-error.ts';
import type { KubeClient, Query } from './client.ts';
import { createLineCutter } from './lines.ts';
import { isObject } from './pages.ts';

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface WatchEvent {
  readonly type: WatchEventType;
  readonly object: KubeObject;
}

export type WatchEnding =
  /** The server ended it, as it does after `timeoutSeconds`. */
  | 'ended'
  /** The connection broke. */
  | 'cut'
  /** Nothing came for too long. */
  | 'idle'
  /** It went on for longer than was asked for. */
  | 'overdue'
  /** A line was no event. */
  | 'garbage'
  | 'line too long'
  /** The server refused it, at the start or with an ERROR event. */
  | 'refused'
  /** By our own signal. */
  | 'stopped';

export interface WatchEnd {
  readonly ending: WatchEnding;
  /** The last line was not whole. */
  readonly halfLine: boolean;
  readonly error?: ApiError;
}

export interface WatchRequest {
  readonly client: KubeClient;
  readonly path: string;
  readonly query: Query;
  /** Form of the answer that is asked for: see media.ts. Default whole objects. */
  readonly accept?: string;
  /** Bytes of one line. */
  readonly maxLineBytes: number;
  /** Milliseconds without a byte after which the watch is given up. */
  readonly idleMs: number;
  /** Milliseconds after which the watch is given up however lively it is. */
  readonly longestMs: number;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly onEvent: (event: WatchEvent) => void;
}

const types: ReadonlySet<unknown> = new Set<WatchEventType>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** A bookmark has no name, only a version. */
function isBookmark(object: unknown): object is KubeObject {
  const metadata = (object as { metadata?: { resourceVersion?: unknown } } | null)?.metadata;
  return typeof metadata?.resourceVersion === 'string';
}

/** The event of a line; undefined for garbage; an error for the server's ERROR event. */
export function parseEvent(line: string, asked: string): Result<WatchEvent | undefined, ApiError> {
  let parsed: { type?: unknown; object?: unknown } | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    // The caller counts it.
    return ok(undefined);
  }
  if (isNestedTooDeep(parsed)) return ok(undefined);
  if (parsed?.type === 'ERROR') return err(errorOfStatus(parsed.object, { asked }));
  if (!types.has(parsed?.type)) return ok(undefined);
  const { type, object } = parsed as { type: WatchEventType; object: unknown };
  const fine = type === 'BOOKMARK' ? isBookmark(object) : isObject(object) && isBookmark(object);
  return ok(fine ? { type, object: object as KubeObject } : undefined);
}

function readEvents(response: IncomingMessage, request: WatchRequest): Promise<WatchEnd> {
  const { signal, idleMs, longestMs } = request;
  const asked = `WATCH ${request.client.server}${request.path}`;
  const cutter = createLineCutter(request.maxLineBytes);
  return new Promise((resolve) => {
    let ended = false;
    const end = (ending: WatchEnding, error?: ApiError) => {
      if (ended) return;
      ended = true;
      clearTimeout(idle);
      clearTimeout(overdue);
      signal.removeEventListener('abort', stop);
      response.destroy();
      const halfLine = cutter.pending > 0 && (ending === 'cut' || ending === 'ended');
      resolve({ ending, halfLine, ...(error && { error }) });
    };
    const broken = (ending: WatchEnding, text: string) =>
      end(ending, { kind: ending === 'cut' ? 'unreachable' : 'malformed', message: `${asked}: ${text}` });
    const stop = () => end('stopped');
    const idle = setTimeout(
      () => end('idle', { kind: 'timeout', message: `${asked}: nothing came for ${idleMs} ms` }),
      idleMs,
    );
    const overdue = setTimeout(() => end('overdue'), longestMs);
    signal.addEventListener('abort', stop);

    function onLine(line: string): void {
      if (ended || line.trim() === '') return;
      const event = parseEvent(line, asked);
      if (!event.ok) end('refused', event.error);
      else if (event.value) request.onEvent(event.value);
      else broken('garbage', `a line is no event: ${line.slice(0, 100)}`);
    }

    response.on('data', (chunk: Buffer) => {
      if (ended) return;
      idle.refresh();
      request.onBytes(chunk.length);
      if (!cutter.push(chunk, onLine)) broken('line too long', `a line is longer than ${request.maxLineBytes} bytes`);
    });
    response.on('end', () => end('ended'));
    response.on('error', (error) => broken('cut', `the watch broke off: ${error.message}`));
    response.on('close', () => broken('cut', 'the watch broke off'));
    if (signal.aborted) stop();
    else if (response.destroyed) broken('cut', 'the watch broke off');
  });
}

/** Opens a watch and reads it to its end. Never rejects. */
export async function runWatch(request: WatchRequest): Promise<WatchEnd> {
  const { client, path, query, accept, signal } = request;
  const response = await client.open({ path, query, accept, signal });
  if (!response.ok) {
    const { error } = response;
    if (signal.aborted) return { ending: 'stopped', halfLine: false };
    return { ending: error.kind === 'status' ? 'refused' : 'cut', halfLine: false, error };
  }
  request.onOpen();
  return readEvents(response.value, request);
}
