/** A request's body gathered before there is a backend for it. */
import { parseResponseHead } from '../http1/response.ts';
import { createPool } from '../upstream/pool.ts';
import { joinRuns, totalOf } from './chunks.ts';
import type { Exchange } from './exchange.ts';
import type { UpstreamLink, UpstreamWire } from './wire.ts';

/** Takes a body in, where a connection to a backend would pass it on. */
interface Collector extends UpstreamLink {
  readonly maxBytes: number;
  readonly pieces: Buffer[];
  bytes: number;
  readonly over: (whole: boolean) => void;
}

const wire: UpstreamWire = {
  borrows: false,
  begin() {},
  data(link, _exchange, bytes, runs) {
    const collector = link as Collector;
    const total = totalOf(runs);
    collector.bytes += total;
    if (collector.bytes > collector.maxBytes) collector.over(false);
    else collector.pieces.push(joinRuns(bytes, runs, total));
  },
  end: (link) => (link as Collector).over(true),
  flush() {},
  isBlocked: (link) => (link as Collector).bytes > (link as Collector).maxBytes,
  setReading() {},
  release() {},
  discard() {},
};

const nowhere = createPool({ address: '', port: 0, ready: false, serving: false, terminating: false }, '');

/**
 * Reads the body of a request, which is sent from memory afterwards. `over` is called once, in a step of its own, unless
 * the exchange ends before: false when the body is larger than `maxBytes`. An expectation of 100 is met here.
 */
export function collectBody(
  exchange: Exchange,
  maxBytes: number,
  expectsContinue: boolean,
  over: (whole: boolean) => void,
): void {
  if (exchange.requestDone || exchange.requestLeft > maxBytes) {
    queueMicrotask(() => {
      if (!exchange.over) over(exchange.requestDone);
    });
    return;
  }
  const collector: Collector = {
    wire,
    pool: nowhere,
    exchange,
    connected: true,
    negotiating: false,
    reused: false,
    unprocessed: false,
    paused: false,
    error: undefined,
    maxBytes,
    pieces: [],
    bytes: 0,
    over: (whole) => queueMicrotask(() => settle(exchange, collector, whole, over)),
  };
  exchange.upstream = collector;
  const { client } = exchange;
  if (expectsContinue) sendContinue(exchange);
  if (client.wire.relayPending(exchange)) client.wire.refreshReading(client);
}

function settle(exchange: Exchange, collector: Collector, whole: boolean, over: (whole: boolean) => void): void {
  if (exchange.over || exchange.upstream !== collector) return;
  exchange.upstream = undefined;
  collector.exchange = undefined;
  exchange.kept = collector.pieces;
  over(whole);
}

const continueHead = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

function sendContinue(exchange: Exchange): void {
  const { client } = exchange;
  const { responseHead: head, settings } = client.runtime;
  parseResponseHead(continueHead, continueHead.length, head, false, settings.upstream.maxHeadBytes);
  client.wire.interim(exchange, head);
  client.wire.flush(client);
}
