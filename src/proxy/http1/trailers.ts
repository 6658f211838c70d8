/** Trailer sections on their way through (RFC 9110 section 6.5). */
import { bit, createFields, dropAnyOf, removeField, scanText, writeFields } from './fields.ts';
import { known } from './known-fields.ts';

/** Trailers are few; each costs the receiver's attention. */
const MAX_TRAILERS = 64;
const fields = createFields(MAX_TRAILERS);

/** RFC 9110 section 6.5.1: fields that bear on framing, routing, authentication or content do not come that late. */
const forbidden = [
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'proxy-authorization',
  'set-cookie',
];
const forbiddenKnown = Object.values(known)
  .filter((id) => id !== known.other && id !== known.date)
  .reduce((ids: number, id) => ids | bit(id), 0);

/**
 * The lines to forward out of a trailer section with its empty line; '' when none are left, undefined when the section
 * is malformed.
 */
export function filterTrailers(section: string): string | undefined {
  if (section === '\r\n') return '';
  if (scanText(fields, section) !== section.length) return undefined;
  dropAnyOf(fields, forbiddenKnown);
  for (const name of forbidden) removeField(fields, name);
  return writeFields(fields);
}
