/** Reads the response of a mirror far enough to know where it ends, and keeps nothing of it. */
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from '../../http1/chunked.ts';
import { parseResponseHead, type ResponseHead, responseBody } from '../../http1/response.ts';
import type { Settings } from '../../options.ts';

/** `reusable`: the response is whole and the connection stays. `over`: nothing more can be made of the connection. */
export type AnswerState = 'more' | 'reusable' | 'over';

/** Takes what a connection has read, which is valid during the call only. */
export type AnswerReader = (bytes: Buffer) => AnswerState;

/** `head` may be shared by all readers. `toHead`: the response answers a HEAD request. */
export function createAnswerReader(head: ResponseHead, toHead: boolean, settings: Settings): AnswerReader {
  let partial: Buffer | undefined;
  let readBody: AnswerReader | undefined;
  let informational = 0;

  function readHead(bytes: Buffer): AnswerState {
    const whole = partial ? Buffer.concat([partial, bytes]) : bytes;
    const outcome = parseResponseHead(whole, whole.length, head, toHead, settings.upstream.maxHeadBytes);
    if (outcome === 'incomplete') {
      partial = Buffer.from(whole);
      return 'more';
    }
    if (outcome !== 'complete' || head.status === 101) return 'over';
    partial = undefined;
    if (head.status >= 200) readBody = createBodyReader(head, settings);
    // A mirror that goes on like this would cost as much as it can send, for as long as a copy may take.
    else if (++informational > settings.upstream.maxInformational) return 'over';
    return read(whole.subarray(head.length));
  }

  function read(bytes: Buffer): AnswerState {
    if (readBody) return readBody(bytes);
    return bytes.length === 0 ? 'more' : readHead(bytes);
  }

  return read;
}

function createBodyReader(head: ResponseHead, settings: Settings): AnswerReader {
  const end: AnswerState = head.keepAlive ? 'reusable' : 'over';
  if (head.body === responseBody.untilClose) return () => 'more';
  if (head.body === responseBody.chunked) return createChunksReader(end, settings);
  let left = head.body === responseBody.none ? 0 : head.contentLength;
  return (bytes) => {
    left -= bytes.length;
    if (left > 0) return 'more';
    // More than was announced.
    return left < 0 ? 'over' : end;
  };
}

function createChunksReader(end: AnswerState, settings: Settings): AnswerReader {
  const decoder = createChunkDecoder(settings.relay);
  const runs: number[] = [];
  return (bytes) => {
    runs.length = 0;
    const at = decodeChunks(decoder, bytes, 0, bytes.length, runs);
    if (hasFailed(decoder)) return 'over';
    if (!isDone(decoder)) return 'more';
    return at < bytes.length ? 'over' : end;
  };
}
