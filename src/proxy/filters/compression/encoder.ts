/** One response being compressed on its way to the client. */
import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib';
import type { CompressionFilter, ContentCoding } from '../../../routing/plan/plan.ts';
import { attachmentsOf, type BodyStage } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { cut } from '../../exchange/finish.ts';
import { deliverData, deliverEnd, readOn } from '../../exchange/response.ts';

type Encoder = Gzip | BrotliCompress;

const create: Record<ContentCoding, (level: number) => Encoder> = {
  gzip: (level) => createGzip({ level }),
  br: (level) =>
    createBrotliCompress({
      params: {
        [constants.BROTLI_PARAM_QUALITY]: level,
        // A window of 512 KiB: the default of 4 MiB is for files.
        [constants.BROTLI_PARAM_LGWIN]: 19,
      },
    }),
};

/** How long what has come may wait for more to be compressed with. Milliseconds. */
const FLUSH_AFTER_MS = 10;

/** Puts an encoder before the body of a response, whose head says so already. */
export function beginEncoding(exchange: Exchange, coding: ContentCoding, level: CompressionFilter['level']): void {
  const { client } = exchange;
  const { encoders, settings } = client.runtime;
  const { bufferBytes } = settings.relay;
  const encoder = create[coding](level[coding]);
  const attached = attachmentsOf(exchange);
  let flushTimer: NodeJS.Timeout | undefined;
  let lastTrailers = '';
  encoders.count++;

  encoder.on('data', (bytes: Buffer) => {
    if (exchange.over) return;
    deliverData(exchange, bytes, [0, bytes.length], bytes.length, true);
    client.wire.flush(client);
    exchange.moved = client.runtime.now;
    if (client.wire.isBlocked(client)) encoder.pause();
  });
  encoder.on('drain', () => readOn(exchange));
  encoder.on('end', () => {
    if (!exchange.over) deliverEnd(exchange, lastTrailers);
  });
  encoder.on('error', (error) => cut(exchange, 'invalid_filter', `compressing failed: ${error.message}`));
  attached.whenOver.push(() => {
    encoders.count--;
    clearTimeout(flushTimer);
    encoder.destroy();
  });

  /** Sends what is there: a stream that is slow must not wait until there is a block of it. */
  function flushSoon(): void {
    flushTimer = undefined;
    encoder.flush(coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH);
  }

  const stage: BodyStage = {
    text: (text) => void encoder.write(text, 'latin1'),
    data(bytes, runs, owned) {
      for (let i = 0; i < runs.length; i += 2) {
        const piece = bytes.subarray(runs[i]!, runs[i + 1]!);
        encoder.write(owned ? piece : Buffer.from(piece));
      }
    },
    flush() {
      // The head, which goes ahead.
      client.wire.flush(client);
      flushTimer ??= setTimeout(flushSoon, FLUSH_AFTER_MS);
    },
    isBlocked: () => encoder.writableNeedDrain || encoder.writableLength > bufferBytes || encoder.isPaused(),
    end(trailers) {
      clearTimeout(flushTimer);
      lastTrailers = trailers;
      encoder.end();
    },
    resume() {
      encoder.resume();
      readOn(exchange);
    },
    lost: () => false,
  };
  attached.body = stage;
}
