/** Answers that the data plane gives by itself: short, in plain text, and saying why. */
import type { AccessFlag } from '../access.ts';
import type { ResponseFilter } from '../filters/types.ts';
import { toWire } from '../http1/characters.ts';
import { scanText, writeFields } from '../http1/fields.ts';
import { reasonPhrase } from '../http1/status.ts';
import type { Exchange } from './exchange.ts';
import { grpcLines } from './grpc.ts';

export interface Reply {
  readonly status: number;
  readonly flag: AccessFlag;
  /** Ends up in the body unless `body` is given. */
  readonly reason: string;
  readonly body?: string;
  /** Body in place of the above, one character per byte; `lines` says what it is. */
  readonly bytes?: string;
  /** Further lines, each with its CRLF. */
  readonly lines?: string;
  readonly filter?: ResponseFilter;
}

/** Sends a whole response; the caller finishes the exchange. */
export function reply(exchange: Exchange, answer: Reply): void {
  const { client } = exchange;
  exchange.flag ??= answer.flag;
  exchange.reason ??= answer.reason;
  exchange.status = answer.status;
  exchange.madeHere = true;
  if (exchange.grpc && answer.status >= 400) {
    answerGrpc(exchange, answer);
    return;
  }
  const content = bodyOf(answer);
  const lines = fieldLines(exchange, answer, content);
  const body = exchange.isHead ? '' : content;
  exchange.responseBytes = body.length;
  client.wire.answer(exchange, { status: answer.status, lines, body });
  client.wire.flush(client);
}

/** The status counts as what it is here, though over the wire gRPC's own stands for it. */
function answerGrpc(exchange: Exchange, { status, reason, filter }: Reply): void {
  const { client } = exchange;
  const lines = changed(exchange, client.runtime.dateLine + grpcLines(status, reason), filter);
  client.wire.answer(exchange, { status: 200, lines, body: '' });
  client.wire.flush(client);
}

const hasNoContent = (status: number) => status === 204 || status === 304;

function bodyOf({ status, reason, body, bytes }: Reply): string {
  if (hasNoContent(status)) return '';
  if (bytes !== undefined) return bytes;
  return toWire(body ?? `${status} ${reasonPhrase(status)}: ${reason}\n`);
}

function fieldLines(exchange: Exchange, answer: Reply, body: string): string {
  const { runtime } = exchange.client;
  const type = answer.bytes === undefined ? 'Content-Type: text/plain; charset=utf-8\r\n' : '';
  const content = hasNoContent(answer.status) ? '' : `${type}Content-Length: ${body.length}\r\n`;
  const lines = runtime.dateLine + content + (answer.lines ?? '');
  return changed(exchange, lines, answer.filter);
}

/** The lines after the route's response filters, and those of the exchange itself. */
function changed(exchange: Exchange, lines: string, filter: ResponseFilter | undefined): string {
  const late = exchange.attached?.response;
  if (!filter && !late) return lines;
  const { fields } = exchange.client.runtime.responseHead;
  if (scanText(fields, `${lines}\r\n`) < 0) return lines;
  filter?.(fields, exchange);
  late?.(fields, exchange);
  return writeFields(fields);
}
