/** The traceparent and tracestate fields (W3C Trace Context, sections 3.2 and 3.3). */
import { randomFillSync } from 'node:crypto';

/** `00-` trace id `-` parent id `-` flags; what follows belongs to later versions. */
const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x20-\x7e]*)?$/;
const zeroTrace = '0'.repeat(32);
const zeroParent = '0'.repeat(16);
/** Longest that a version to come may be here. */
const MAX_LENGTH = 256;

/** What a valid traceparent says. `flags` is a byte. */
export interface Traceparent {
  readonly traceId: string;
  readonly parentId: string;
  readonly flags: number;
}

/** Undefined when it is not valid. */
export function parseTraceparent(traceparent: string): Traceparent | undefined {
  if (traceparent.length > MAX_LENGTH) return undefined;
  const [, version, traceId, parentId, flags, rest] = shape.exec(traceparent) ?? [];
  if (traceId === undefined || version === 'ff' || traceId === zeroTrace || parentId === zeroParent) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, parentId: parentId!, flags: Number.parseInt(flags!, 16) };
}

/** Trace id of a traceparent; undefined when it is not valid. */
export const traceIdOf = (traceparent: string): string | undefined => parseTraceparent(traceparent)?.traceId;

const MAX_MEMBERS = 32;
/** Key and value at their longest, with some space around. */
const MAX_MEMBER_LENGTH = 600;
const member =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Whether a tracestate, all its lines joined with commas, is a list of at most 32 members with a key each once. */
export function isTracestate(value: string): boolean {
  const keys = new Set<string>();
  let from = 0;
  while (from <= value.length) {
    const comma = value.indexOf(',', from);
    const end = comma < 0 ? value.length : comma;
    if (end - from > MAX_MEMBER_LENGTH) return false;
    const text = value.slice(from, end).replace(/^[ \t]+|[ \t]+$/g, '');
    from = end + 1;
    if (text === '') continue;
    const key = text.slice(0, text.indexOf('='));
    if (keys.size === MAX_MEMBERS || keys.has(key) || !member.test(text)) return false;
    keys.add(key);
  }
  return true;
}

const ID_BYTES = 24;
/** Random bytes for many ids: asking for them one by one costs more than the rest of a request's head. */
const random = Buffer.allocUnsafe(ID_BYTES * 128);
let at = random.length;

/** Where 24 random bytes begin that nobody has had. */
function takeRandom(): number {
  if (at === random.length) {
    randomFillSync(random);
    at = 0;
  }
  at += ID_BYTES;
  return at - ID_BYTES;
}

/** A traceparent that begins a trace. */
export function newTraceparent(sampled: boolean): string {
  const from = takeRandom();
  const traceId = random.toString('hex', from, from + 16);
  const parentId = random.toString('hex', from + 16, from + ID_BYTES);
  // All zeros stand for no id; as likely as a wrong guess of 64 bits.
  if (traceId === zeroTrace || parentId === zeroParent) return newTraceparent(sampled);
  return `00-${traceId}-${parentId}-${sampled ? '01' : '00'}`;
}

/** 32 hexadecimal digits that nobody can foresee, out of the same store: asking the system each time costs 5 µs. */
export function newRequestId(): string {
  const from = takeRandom();
  return random.toString('hex', from, from + 16);
}

/** Id of a span in a trace that was begun elsewhere. */
export function newSpanId(): string {
  const from = takeRandom();
  const id = random.toString('hex', from, from + 8);
  return id === zeroParent ? newSpanId() : id;
}
