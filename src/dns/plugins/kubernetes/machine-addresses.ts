/** Addresses at which this server answers, as names of it may tell: the ones bound, or all of the machine. */
import { networkInterfaces } from 'node:os';

/** Loopback and link-local addresses are no use to a client elsewhere; bound ones are taken as they are. */
export function machineAddresses(doors: readonly { readonly address: string }[]): string[] {
  const bound = [...new Set(doors.map(({ address }) => address))];
  if (!bound.some((address) => address === '::' || address === '0.0.0.0')) return bound;
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return outside.map(({ address }) => address);
}
