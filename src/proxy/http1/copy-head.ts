/** Copies of heads, for what has to wait: the records that heads are read into are used again at once. */
import { createFields, type Fields } from './fields.ts';
import { createRequestHead, type RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** `to` must have room for as many fields. */
function copyFields(from: Fields, to: Fields): void {
  const { count } = from;
  to.text = from.text;
  to.count = count;
  to.start = from.start;
  to.end = from.end;
  to.at.set(from.at.subarray(0, 4 * count));
  to.known.set(from.known.subarray(0, count));
  to.dropped.set(from.dropped.subarray(0, count));
  to.seen = from.seen;
  to.repeated = from.repeated;
  to.anyDropped = from.anyDropped;
  to.added = from.added;
  to.addedNames.splice(0, to.addedNames.length, ...from.addedNames);
  to.addedValues.splice(0, to.addedValues.length, ...from.addedValues);
}

/** A head of its own that is equal to the one given, with the changes that its fields have seen. */
export function holdRequestHead(head: RequestHead): RequestHead {
  const held = createRequestHead(head.fields.count);
  copyRequestHead(head, held);
  return held;
}

/** Makes `to` equal to `from`; it must have room for as many fields. */
export function copyRequestHead(from: RequestHead, to: RequestHead): void {
  const { fields, headers: _, checkedHost: __, ...values } = from;
  Object.assign(to, values);
  copyFields(fields, to.fields);
}

/** A head of its own that is equal to the one given. */
export function holdResponseHead(head: ResponseHead): ResponseHead {
  const fields = createFields(head.fields.count);
  copyFields(head.fields, fields);
  return Object.assign({}, head, { fields });
}

/** Makes `to` equal to `from`; it must have room for as many fields. */
export function copyResponseHead(from: ResponseHead, to: ResponseHead): void {
  const { fields, ...values } = from;
  Object.assign(to, values);
  copyFields(fields, to.fields);
}
