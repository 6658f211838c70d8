/** An error response that is held until it is known whether there is a page in its place. */
import { attachmentsOf, type BodyStage } from '../../exchange/attachments.ts';
import { detachUpstream, type Exchange } from '../../exchange/exchange.ts';
import { fail } from '../../exchange/finish.ts';
import { clientDrained, deliverData, deliverEnd, deliverHead } from '../../exchange/response.ts';
import { copyResponseHead, holdResponseHead } from '../../http1/copy-head.ts';
import type { ResponseHead } from '../../http1/response.ts';
import type { Denial } from '../types.ts';

export interface Holder {
  /** The response has not gone to the client. */
  isHolding(): boolean;
  /** There is no page: it goes to the client after all. */
  goOn(): void;
}

/** Takes the body in as far as it comes, up to `relay.bufferBytes`; the backend is not read beyond. */
export function createHolder(exchange: Exchange, head: ResponseHead): Holder {
  const held = holdResponseHead(head);
  const { client } = exchange;
  const { relay } = client.runtime.settings;
  const pieces: Buffer[] = [];
  let bytesHeld = 0;
  let trailers: string | undefined;
  let isHolding = true;
  /** What has become of the rest of it. */
  let loss: Denial | undefined;

  function put(bytes: Buffer): void {
    pieces.push(bytes);
    bytesHeld += bytes.length;
  }

  const stage: BodyStage = {
    text: (text) => put(Buffer.from(text, 'latin1')),
    data(bytes, runs) {
      for (let i = 0; i < runs.length; i += 2) put(Buffer.from(bytes.subarray(runs[i]!, runs[i + 1]!)));
    },
    flush() {},
    isBlocked: () => bytesHeld > relay.bufferBytes,
    end(lines) {
      trailers = lines;
    },
    resume() {},
    lost(answer) {
      const link = detachUpstream(exchange);
      link?.wire.discard(link);
      if (trailers === undefined) loss = answer;
      // Only the page can be missing, or the route gives it no more time.
      if (trailers !== undefined || answer.flag === 'request_timeout') goOn();
      return true;
    },
  };
  attachmentsOf(exchange).body = stage;

  function goOn(): void {
    if (!isHolding) return;
    isHolding = false;
    attachmentsOf(exchange).body = undefined;
    if (loss) {
      // Nothing of it has reached the client, which can be told so.
      exchange.status = 0;
      fail(exchange, loss.status, loss.flag, loss.reason);
      return;
    }
    const { responseHead } = client.runtime;
    copyResponseHead(held, responseHead);
    deliverHead(exchange, responseHead);
    replay(exchange, pieces, trailers);
  }

  return { isHolding: () => isHolding, goOn };
}

/** Compression may have put a stage of its own before the body by now. */
function replay(exchange: Exchange, pieces: readonly Buffer[], trailers: string | undefined): void {
  const { client, attached } = exchange;
  const stage = attached?.body;
  for (const bytes of pieces) {
    const run = [0, bytes.length];
    if (stage) stage.data(bytes, run, true);
    else deliverData(exchange, bytes, run, bytes.length, true);
  }
  if (trailers !== undefined) {
    if (stage) stage.end(trailers);
    else deliverEnd(exchange, trailers);
    return;
  }
  if (stage) stage.flush();
  client.wire.flush(client);
  clientDrained(exchange);
}
