/** The trace that a request belongs to: passed on as it came when it is valid, begun here when that is wanted. */
import { addField, bit, dropKnown, type Fields, knownValue } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { TelemetryOptions } from '../options.ts';
import { isTracestate, newTraceparent, traceIdOf } from './traceparent.ts';

const traceFields = bit(known.traceparent) | bit(known.tracestate);

/** Puts the fields of a request's head right and returns its trace id; undefined when it is part of no trace. */
export function followTrace(fields: Fields, options: TelemetryOptions): string | undefined {
  if ((fields.seen & traceFields) === 0) return options.startTraces ? startTrace(fields, options) : undefined;
  const traceparent = fields.repeated & bit(known.traceparent) ? undefined : knownValue(fields, known.traceparent);
  const traceId = traceparent === undefined ? undefined : traceIdOf(traceparent);
  if (traceId === undefined) {
    // Section 3.2.2.3 and 3.3: without a traceparent that can be read, tracestate says nothing either.
    dropKnown(fields, known.traceparent);
    dropKnown(fields, known.tracestate);
    return options.startTraces ? startTrace(fields, options) : undefined;
  }
  const tracestate = knownValue(fields, known.tracestate);
  if (tracestate !== undefined && !isTracestate(tracestate)) dropKnown(fields, known.tracestate);
  return traceId;
}

function startTrace(fields: Fields, { traceSampleRate }: TelemetryOptions): string {
  const traceparent = newTraceparent(Math.random() < traceSampleRate);
  addField(fields, 'traceparent', traceparent);
  return traceparent.slice(3, 35);
}
