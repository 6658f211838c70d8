/** Changing parameters of a query and leaving the others byte for byte as they came. */
import type { HeaderPair } from '../../../routing/plan/plan.ts';
import type { RequestHead } from '../../http1/request.ts';

/** Names and values are as on the wire, one character per byte, and not encoded for a URL. Sets, then removes. */
export function changeQuery(head: RequestHead, set: readonly HeaderPair[], remove: readonly string[]): void {
  if (!head.target.startsWith('/')) return;
  const gone = new Set([...set.map(([name]) => textOf(name)), ...remove.map(textOf)]);
  const removed = new Set(remove.map(textOf));
  const kept = head.query === '' ? [] : head.query.split('&').filter((part) => !gone.has(nameOf(part)));
  const added = set
    .map(([name, value]) => [textOf(name), textOf(value)] as const)
    .filter(([name]) => !removed.has(name))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  head.query = [...kept, ...added].join('&');
  head.target = head.query === '' ? head.path : `${head.path}?${head.query}`;
  head.queryMark = head.query === '' ? -1 : head.path.length;
  head.plainLine = false;
}

/** U+FFFD stands for what is not UTF-8, so that encoding it cannot fail. */
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** The name of a parameter, decoded as far as it can be. */
function nameOf(part: string): string {
  const mark = part.indexOf('=');
  const name = (mark < 0 ? part : part.slice(0, mark)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    // Percent signs that encode nothing stand for themselves.
    return name;
  }
}
