/** Which addresses names outside of the cluster may lead to. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Never led to, whatever a name says: the machine itself (its API server and whatever else trusts it), link-local
 * addresses with the metadata services of clouds (RFC 3927, RFC 4291), and what is no address of one host.
 */
const refused: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Alibaba Cloud's metadata service, within the shared address space (RFC 6598).
  ['100.100.100.200', 32],
  ['::', 128],
  ['::1', 128],
  // Addresses of IPv4 in other guises: mapped, translated (RFC 6052, RFC 8215), 6to4, Teredo.
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001::', 32],
  ['fe80::', 10],
  // Amazon's metadata service.
  ['fd00:ec2::254', 128],
  ['ff00::', 8],
];

export interface AddressFilter {
  permits(address: string): boolean;
}

/**
 * `allowed`: addresses and CIDRs that are led to nevertheless; `denied`: further ones that are not. Those that cannot be
 * read are left out.
 */
export function createAddressFilter(allowed: readonly string[] = [], denied: readonly string[] = []): AddressFilter {
  const bad = membership([...refused, ...denied.flatMap(parseNetwork)]);
  const good = membership(allowed.flatMap(parseNetwork));
  return {
    permits(address) {
      if (!isIPv4(address) && !isIPv6(address)) return false;
      return good(address) || !bad(address);
    },
  };
}

/** A list for each family: to a list of both, every IPv4 address is one of `::ffff:0:0/96` too. */
function membership(networks: readonly (readonly [string, number])[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, bits] of networks) lists[familyOf(network)].addSubnet(network, bits, familyOf(network));
  return (address) => lists[familyOf(address)].check(address, familyOf(address));
}

const familyOf = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** None when it is neither an address nor a CIDR. */
export function parseNetwork(text: string): (readonly [network: string, bits: number])[] {
  const [network = '', length] = text.split('/');
  const most = isIPv4(network) ? 32 : isIPv6(network) ? 128 : 0;
  const bits = length === undefined ? most : /^[0-9]{1,3}$/.test(length) ? Number(length) : most + 1;
  return most > 0 && bits <= most ? [[network, bits]] : [];
}
