import type { Line } from '../../corefile/types.ts';
import { expectArgs, type Network, parseNetwork, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createDns64 } from './dns64.ts';

const lengths = new Set([32, 40, 48, 56, 64, 96]);

function prefixOf(line: Line, text: string): Network {
  const network = parseNetwork(text);
  if (network?.bytes.length !== 16) return refuse(line, `dns64: not an IPv6 prefix: ${text}`);
  if (!lengths.has(network.bits))
    refuse(line, `dns64: the prefix length must be one of ${[...lengths].join(', ')}: ${text}`);
  if (network.bits > 64 && network.bytes[8] !== 0)
    refuse(line, `dns64: bits 64 to 71 of the prefix must be zero: ${text}`);
  return network;
}

/** `dns64 [PREFIX] { prefix PREFIX; translate_all; allow_ipv4 }`. */
export const setupDns64: Setup = (directives, context) => {
  const directive = single(directives);
  let prefix = prefixOf(directive, expectArgs(directive, 0, 1)[0] ?? '64:ff9b::/96');
  const options = { translateAll: false, allowIpv4: false };
  readBlock(directive, {
    prefix(line) {
      prefix = prefixOf(line, expectArgs(line, 1)[0]!);
    },
    translate_all(line) {
      expectArgs(line, 0);
      options.translateAll = true;
    },
    allow_ipv4(line) {
      expectArgs(line, 0);
      options.allowIpv4 = true;
    },
  });
  return createDns64({ prefix, ...options, metrics: context.shared.metrics });
};
