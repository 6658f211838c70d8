/** Where queries are forwarded to: back to this server, or to a resolver that sends them back. */
import { isIP } from 'node:net';
import { isAbsolute, join } from 'node:path';
import type { Directive } from '../../dns/corefile/types.ts';
import { parseTarget } from '../../dns/plugins/forward/targets.ts';
import { resolvConfNameservers } from '../../dns/plugins/forward/upstreams.ts';
import { isInZone } from '../../dns/plugins/zones.ts';
import { canonicalAddress } from '../../dns/wire/address.ts';
import { finding, type LintFinding } from './finding.ts';
import { type BlockModel, blockText, directivesNamed, effectiveZones } from './model.ts';

/** Text of a file of the machine that will serve; undefined when it is not there. */
export type ReadText = (path: string) => string | undefined;

interface Upstream {
  readonly address: string;
  readonly port: number;
  /** The file that names it. */
  readonly file?: string;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || canonicalAddress(address) === '::1';

/** Plain DNS upstreams by address; files are read. */
function upstreamsOf(directive: Directive, folder: string, readText: ReadText): Upstream[] {
  return directive.args.slice(1).flatMap((word): Upstream[] => {
    const target = parseTarget(word);
    if (target.ok && 'address' in target.value)
      return target.value.protocol === 'dns' ? [{ address: target.value.address, port: target.value.port }] : [];
    const text = readText(isAbsolute(word) ? word : join(folder, word));
    return resolvConfNameservers(text ?? '')
      .filter((address) => isIP(address.replace(/%.*/, '')))
      .map((address) => ({ address, port: 53, file: word }));
  });
}

/** The block that gets queries for a zone at an address, as far as the Corefile tells. */
function blockAt(upstream: Upstream, zone: string, blocks: readonly BlockModel[]): BlockModel | undefined {
  const here = ({ binds }: BlockModel) => {
    const addresses = binds.map((bind) => canonicalAddress(bind) ?? bind);
    if (addresses.length === 0) return isLoopback(upstream.address);
    return addresses.includes(canonicalAddress(upstream.address) ?? upstream.address);
  };
  const candidates = blocks.flatMap((block) =>
    block.zones
      .filter((at) => at.transport === 'dns' && at.port === upstream.port && isInZone(zone, at.zone) && here(block))
      .map((at) => ({ block, length: at.zone.length })),
  );
  return candidates.sort((a, b) => b.length - a.length)[0]?.block;
}

const stub = (address: string): boolean => address === '127.0.0.53' || address === '127.0.0.54';

function loopback(directive: Directive, upstream: Upstream): LintFinding {
  const { address, file } = upstream;
  const whose = stub(address) ? "systemd-resolved's stub" : 'a loopback address';
  return finding('FW4143', directive, `${file} names ${address}, ${whose}`, {
    why: `In a Pod that is the Pod itself, so that queries go round until the loop plugin ends the process; on the host network they go to the host's resolver, which may send them back here.`,
    ...(stub(address) && {
      hint: 'Use "forward . /run/systemd/resolve/resolv.conf", or set the kubelet\'s --resolv-conf to that file.',
    }),
  });
}

export function forwardingLoops(
  block: BlockModel,
  blocks: readonly BlockModel[],
  options: { readonly folder: string; readonly readText: ReadText },
): LintFinding[] {
  return directivesNamed(block, 'forward').flatMap((directive) => {
    const [zone] = effectiveZones(directive, block);
    if (zone === undefined) return [];
    return upstreamsOf(directive, options.folder, options.readText).flatMap((upstream) => {
      const named = upstream.file === undefined ? upstream.address : `${upstream.address} (from ${upstream.file})`;
      const target = blockAt(upstream, zone, blocks);
      // A loopback address in a file is told as that: whose loopback it is, only the place where it runs says.
      if (upstream.file !== undefined && isLoopback(upstream.address)) return loopback(directive, upstream);
      if (target !== block) return [];
      return finding('FW4144', directive, `forward to ${named} comes back to ${blockText(block)}`, {
        why: 'Each query goes round until it times out, and takes the server with it.',
      });
    });
  });
}
