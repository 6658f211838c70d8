/** Which bytes may stand where in an HTTP/1.1 head (RFC 9110 section 5.6.2, RFC 9112 sections 3 and 5). */

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;

function table(accepts: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (accepts(code) ? 1 : 0));
}

/** `tchar`: methods and field names. */
export const tokenBytes = table((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)) && code < 128);

/** `field-vchar`, SP and HTAB: values, reason phrases. Bytes from 0x80 on are `obs-text`. */
export const valueBytes = table((code) => code === TAB || (code >= SPACE && code !== 127));

/** Bytes of a request target: visible ASCII without `#`, since a fragment is never sent. */
export const targetBytes = table((code) => code > SPACE && code < 127 && code !== 35);
export const QUESTION_MARK = 63;

/** True for a non-empty token. */
export function isToken(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) if (tokenBytes[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** True when the text (one character per byte) may stand as a field value. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (valueBytes[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Text as one character per byte of its UTF-8 form: what is written as latin1 arrives as UTF-8. */
export function toWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Part of a line without the space around it (RFC 9110 section 5.6.3): other than `trim`, bytes of UTF-8 are left alone. */
export function trimSpace(line: string, start = 0, end = line.length): string {
  let from = start;
  let to = end;
  while (from < to && isSpace(line.charCodeAt(from))) from++;
  while (to > from && isSpace(line.charCodeAt(to - 1))) to--;
  return line.slice(from, to);
}

const isSpace = (code: number): boolean => code === SPACE || code === TAB;
