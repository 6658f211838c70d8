/** Clients let in by their address. */
import type { IpAccessFilter } from '../../../routing/plan/plan.ts';
import { clientAddress } from '../../exchange/client-address.ts';
import { createTrust, isAddressBlock } from '../../exchange/forwarded.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint } from '../types.ts';

/** An entry that cannot be understood keeps everyone out: leaving it out could let in whom it was meant for. */
export function compileIpAccess(filter: IpAccessFilter, complain: FilterComplaint): CompiledFilter {
  const { allow, deny, status } = filter;
  const bad = [...allow, ...deny].find((entry) => !isAddressBlock(entry));
  if (bad !== undefined) return refuseAll(`${JSON.stringify(bad)} is neither an address nor a CIDR`, complain);
  const isDenied = createTrust(deny);
  const isAllowed = allow.length === 0 ? () => true : createTrust(allow);
  const denial: Denial = { status, flag: 'address_denied', reason: 'the address of the client is not let in' };
  return {
    gate({ client }, head) {
      const address = clientAddress(client, head.headers('x-forwarded-for'));
      return isDenied(address) || !isAllowed(address) ? denial : undefined;
    },
  };
}
