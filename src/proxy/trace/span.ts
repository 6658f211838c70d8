/** Spans of requests: made only where somebody takes them, and only for traces that are sampled. */
import type { AccessRecord } from '../access.ts';
import { clientAddress } from '../exchange/client-address.ts';
import type { Client } from '../exchange/wire.ts';
import { addField, currentValue, dropKnown } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { RequestHead } from '../http1/request.ts';
import { newSpanId, parseTraceparent } from './traceparent.ts';

/** The place of a request in its trace, and what of the request is known at its beginning only. */
export interface SpanContext {
  /** 32 and 16 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentId: string | undefined;
  /** Trace flags (W3C Trace Context section 3.2.2.5). */
  readonly flags: number;
  readonly traceState: string | undefined;
  readonly scheme: string;
  /** Port of the listener. */
  readonly port: number;
  /** Where the request comes from, as far as that can be believed. */
  readonly client: string;
}

/** One span, of a request that is over. Plain data. */
export interface SpanRecord {
  readonly context: SpanContext;
  readonly request: AccessRecord;
  /** No response was begun, or it is not whole. */
  readonly cut: boolean;
}

/** Of the flags, those that are passed on: sampled, and random trace ids (Trace Context level 2). */
const passedFlags = 0x03;
const sampledFlag = 0x01;

/**
 * Begins the span of a request whose trace fields are in order, and makes it the parent of what the backend does.
 * Undefined when the trace is not sampled: then traceparent stays as it came.
 */
export function beginSpan(client: Client, head: RequestHead): SpanContext | undefined {
  const { fields } = head;
  const came = head.headers('traceparent');
  // What was added here names this span already.
  const isFirst = came === undefined || parseTraceparent(came) === undefined;
  const parts = parseTraceparent(isFirst ? (currentValue(fields, 'traceparent') ?? '') : came);
  if (!parts || (parts.flags & sampledFlag) === 0) return undefined;
  const { traceId } = parts;
  const flags = parts.flags & passedFlags;
  const spanId = isFirst ? parts.parentId : newSpanId();
  if (!isFirst) {
    dropKnown(fields, known.traceparent);
    addField(fields, 'traceparent', `00-${traceId}-${spanId}-0${flags}`);
  }
  return {
    traceId,
    spanId,
    parentId: isFirst ? undefined : parts.parentId,
    flags,
    traceState: currentValue(fields, 'tracestate'),
    scheme: client.door.scheme,
    port: client.door.table.listener.port,
    client: clientAddress(client, head.headers('x-forwarded-for')),
  };
}
