/** Clients that a limit does not count, by their address. */
import { clientAddress } from '../exchange/client-address.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { createTrust, isAddressBlock } from '../exchange/forwarded.ts';
import type { RequestHead } from '../http1/request.ts';

/** Undefined: everybody counts. */
export type IsExempt = ((exchange: Exchange, head: RequestHead) => boolean) | undefined;

/** `fault`: an entry is neither an address nor a CIDR. */
export function compileExempt(entries: readonly string[] = []): {
  readonly isExempt: IsExempt;
  readonly fault?: string;
} {
  const bad = entries.find((entry) => !isAddressBlock(entry));
  if (bad !== undefined)
    return { isExempt: undefined, fault: `${JSON.stringify(bad)} is neither an address nor a CIDR` };
  if (entries.length === 0) return { isExempt: undefined };
  const isListed = createTrust(entries);
  return { isExempt: ({ client }, head) => isListed(clientAddress(client, head.headers('x-forwarded-for'))) };
}
