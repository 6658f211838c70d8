/** Where a request comes from, as far as that can be believed. */
import { isIP } from 'node:net';
import { plainAddress } from './forwarded.ts';
import type { Client } from './wire.ts';

/**
 * The peer's address; behind trusted proxies, the last entry of X-Forwarded-For that is not one of them. What is written
 * before an entry that is no address is not believed. Ports and brackets, as some proxies write them, are taken off.
 */
export function clientAddress(client: Client, forwardedFor: string | undefined): string {
  if (!client.trusted || forwardedFor === undefined) return client.address;
  let believed = client.address;
  const entries = forwardedFor.split(',');
  for (let i = entries.length - 1; i >= 0; i--) {
    const address = addressOf(entries[i]!);
    if (address === undefined) return believed;
    believed = address;
    if (!client.door.table.trusts(address)) return believed;
  }
  return believed;
}

/** `10.0.0.1`, `10.0.0.1:1234`, `fd00::1`, `[fd00::1]`, `[fd00::1]:1234`. */
function addressOf(entry: string): string | undefined {
  const text = entry.trim();
  const [, bracketed, quad] = /^(?:\[([0-9a-fA-F:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+)$/.exec(text) ?? [];
  const address = plainAddress(bracketed ?? quad ?? text);
  return isIP(address) === 0 ? undefined : address;
}
