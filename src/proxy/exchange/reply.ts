/** Answers that the data plane gives by itself: short, in plain text, and saying why. */
import type { AccessFlag } from '../access.ts';
import type { ResponseFilter } from '../filters/types.ts';
import { toWire } from '../http1/characters.ts';
import { scanText, writeFields } from '../http1/fields.ts';
import { bodyKind } from '../http1/request.ts';
import { reasonPhrase } from '../http1/status.ts';
import { flush } from '../outbox.ts';
import type { Exchange } from './exchange.ts';

export interface Reply {
  readonly status: number;
  readonly flag: AccessFlag;
  /** Ends up in the body unless `body` is given. */
  readonly reason: string;
  readonly body?: string;
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
  absorbBody(exchange);
  if (!exchange.requestDone || client.runtime.closing || client.door.removed) exchange.close = true;
  const body = bodyOf(answer);
  client.out.text += `HTTP/1.1 ${answer.status} ${reasonPhrase(answer.status)}\r\n${fieldLines(exchange, answer, body)}\r\n`;
  if (!exchange.isHead) {
    client.out.text += body;
    exchange.responseBytes = body.length;
  }
  flush(client.out);
}

const hasNoContent = (status: number) => status === 204 || status === 304;

function bodyOf({ status, reason, body }: Reply): string {
  if (hasNoContent(status)) return '';
  return toWire(body ?? `${status} ${reasonPhrase(status)}: ${reason}\n`);
}

function fieldLines(exchange: Exchange, answer: Reply, body: string): string {
  const { runtime } = exchange.client;
  const content = hasNoContent(answer.status)
    ? ''
    : `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`;
  const lines = runtime.dateLine + content + (answer.lines ?? '');
  return changed(exchange, lines, answer.filter) + connectionLine(exchange);
}

/** The lines after the route's response filters, and those of the exchange itself. */
function changed(exchange: Exchange, lines: string, filter: ResponseFilter | undefined): string {
  const late = exchange.attached?.response;
  if (!filter && !late) return lines;
  const { fields } = exchange.client.runtime.responseHead;
  if (scanText(fields, `${lines}\r\n`) < 0) return lines;
  filter?.(fields);
  late?.(fields);
  return writeFields(fields);
}

/** What the client needs to know about the connection; nothing for HTTP/1.1 that stays open. */
export function connectionLine(exchange: Exchange): string {
  if (exchange.close) return 'Connection: close\r\n';
  return exchange.minor === 0 ? 'Connection: keep-alive\r\n' : '';
}

/** Takes a body that has arrived whole out of the way, so that the connection can go on. */
function absorbBody(exchange: Exchange): void {
  const { client } = exchange;
  const { pending } = client;
  if (exchange.requestDone || exchange.requestBody !== bodyKind.length || !pending) return;
  if (pending.length < exchange.requestLeft) return;
  client.pending = pending.length > exchange.requestLeft ? pending.subarray(exchange.requestLeft) : undefined;
  exchange.requestDone = true;
}
