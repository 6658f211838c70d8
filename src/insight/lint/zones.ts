/** Zones that are there twice, that nothing reaches, or that are missing. */
import { isInZone } from '../../dns/plugins/zones.ts';
import { finding, type LintFinding } from './finding.ts';
import { type BlockModel, blockText, effectiveZones, namedZones, shareListener, zoneText } from './model.ts';

/** Pairs of blocks that serve one zone at one place; the later one is to blame. */
function twice(blocks: readonly BlockModel[]): { first: BlockModel; second: BlockModel; zone: string }[] {
  return blocks.flatMap((second, i) =>
    blocks
      .slice(0, i)
      .flatMap((first) =>
        second.zones
          .filter((at) =>
            first.zones.some((other) => other.zone === at.zone && shareListener(first, second, other, at)),
          )
          .map(({ zone }) => ({ first, second, zone })),
      ),
  );
}

export function servedTwice(blocks: readonly BlockModel[]): LintFinding[] {
  const within = blocks.flatMap(({ source, zones }) => {
    const names = zones.map(({ zone, transport, port }) => `${transport}://${zone}:${port}`);
    const doubled = names.find((name, i) => names.indexOf(name) < i);
    if (doubled === undefined) return [];
    return finding('FW4130', source, `the block has the zone ${doubled} twice`, {
      why: 'The server does not start: it cannot tell which one to use.',
      hint: 'Take one of the two keys out.',
    });
  });
  const between = twice(blocks).flatMap(({ first, second, zone }) => {
    if (first.view) return [];
    const place = `${zoneText([zone])} is served by ${blockText(first)} already`;
    if (!second.view)
      return finding('FW4130', second.source, place, {
        why: 'The server does not start: it cannot tell which one to use.',
      });
    return finding('FW4131', second.source, `${place}, which has no view and takes every query`, {
      why: 'Blocks with the same zone are tried from top to bottom, so that this one never gets a query.',
    });
  });
  return [...within, ...between];
}

export function noRootZone(blocks: readonly BlockModel[]): LintFinding[] {
  const [first] = blocks;
  if (!first || blocks.some(({ zones }) => zones.some(({ zone }) => zone === '.'))) return [];
  const zones = [...new Set(blocks.flatMap((block) => block.zones.map(({ zone }) => zone)))];
  return [
    finding('FW4132', first.source, `only ${zoneText(zones)} is served; there is no block "."`, {
      why: 'All other names are REFUSED. A Pod that has no other nameserver cannot resolve names outside the cluster.',
    }),
  ];
}

/** Zones of plugins that never get a query: outside of their block, or taken away by a block with a longer zone. */
export function strayZones(block: BlockModel, blocks: readonly BlockModel[]): LintFinding[] {
  const own = block.zones.map(({ zone }) => zone);
  return block.running.flatMap((directive) => {
    const named = namedZones(directive) ?? [];
    const outside = named.filter((zone) => !own.some((other) => isInZone(zone, other) || isInZone(other, zone)));
    const found: LintFinding[] = [];
    if (outside.length > 0)
      found.push(
        finding(
          'FW4133',
          directive,
          `${directive.name} is for ${zoneText(outside)}, which ${blockText(block)} does not serve`,
          {
            why: 'Queries for these names go to other blocks, or are refused; the plugin never sees them.',
          },
        ),
      );
    return [...found, ...takenZones(directive, block, blocks)];
  });
}

function takenZones(
  directive: BlockModel['running'][number],
  block: BlockModel,
  blocks: readonly BlockModel[],
): LintFinding[] {
  const named = namedZones(directive) ?? [];
  const wanted = effectiveZones(directive, block).filter((zone) => named.includes(zone));
  const takers = new Map<BlockModel, string[]>();
  for (const zone of wanted) {
    const taker = blocks.find((other) => other !== block && !other.view && takes(other, block, zone));
    if (taker) takers.set(taker, [...(takers.get(taker) ?? []), zone]);
  }
  return [...takers].map(([taker, zones]) =>
    finding('FW4134', directive, `${directive.name} is for ${zoneText(zones)}, which ${blockText(taker)} takes`, {
      why: 'The block with the longest zone gets a query, so that this plugin never sees these names.',
    }),
  );
}

/** Every query for a zone that could come to `block` goes to `other`: it serves a longer zone wherever `block` serves. */
function takes(other: BlockModel, block: BlockModel, zone: string): boolean {
  const covering = block.zones.filter((at) => isInZone(zone, at.zone));
  return (
    covering.length > 0 &&
    covering.every((at) =>
      other.zones.some(
        (longer) =>
          longer.zone !== at.zone &&
          isInZone(longer.zone, at.zone) &&
          isInZone(zone, longer.zone) &&
          shareListener(block, other, at, longer) &&
          (other.binds.length === 0 || block.binds.every((address) => other.binds.includes(address))),
      ),
    )
  );
}
