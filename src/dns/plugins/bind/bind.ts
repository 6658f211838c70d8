/** Addresses of interfaces and addresses given. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Line } from '../../corefile/types.ts';
import { refuse } from '../../corefile/values.ts';

/** Link-local IPv6 addresses need their interface to be bound. */
function addressesOf(word: string): string[] | undefined {
  const found = networkInterfaces()[word];
  if (found) return found.map(({ address, scopeid }) => (scopeid ? `${address}%${word}` : address));
  return isIP(word) ? [word] : undefined;
}

/** The addresses named, themselves or as those of an interface, without the excepted ones. */
export function addressesToBind(line: Line, words: readonly string[], except: readonly string[]): string[] {
  const expand = (word: string): string[] =>
    addressesOf(word) ?? refuse(line, `bind: not a valid IP address or interface name: '${word}'`);
  const left = new Set(except.flatMap(expand));
  return words.flatMap(expand).filter((address) => !left.has(address));
}
