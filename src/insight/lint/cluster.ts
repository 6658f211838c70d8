/** What matters where a Corefile serves the names of a cluster. */
import type { Directive, Line } from '../../dns/corefile/types.ts';
import { isInZone } from '../../dns/plugins/zones.ts';
import { finding, type LintFinding } from './finding.ts';
import { type BlockModel, directivesNamed, effectiveZones, linesNamed } from './model.ts';

const reverseRoots = ['in-addr.arpa.', 'ip6.arpa.'] as const;
const isReverse = (zone: string): boolean => reverseRoots.some((root) => isInZone(zone, root));

/** Longest time that a denial of a cluster name may live without surprise, seconds. */
const sensibleDenial = 30;

function insecurePods(kubernetes: Directive): LintFinding[] {
  return linesNamed(kubernetes, 'pods')
    .filter(({ args }) => args[0] === 'insecure')
    .map((line) =>
      finding(
        'FW4150',
        line,
        'pods insecure answers 1-2-3-4.NAMESPACE.pod names for any address, whether there is such a Pod or not',
        {
          why: 'Whoever controls an address can have a name in the cluster domain, and a certificate for it; nothing in Kubernetes needs these names.',
        },
      ),
    );
}

function reverseNames(kubernetes: Directive, block: BlockModel): LintFinding[] {
  const reverse = effectiveZones(kubernetes, block).filter(isReverse);
  const forwards = directivesNamed(block, 'forward').flatMap((forward) => effectiveZones(forward, block));
  const isForwarded = (zone: string) => forwards.some((from) => isInZone(zone, from));
  if (reverse.length === 0) {
    const could = reverseRoots.some((root) => block.zones.some(({ zone }) => isInZone(root, zone)));
    if (!could) return [];
    return [
      finding('FW4152', kubernetes, 'kubernetes has no reverse zone', {
        why: 'PTR queries for addresses of Services and Pods are not answered from the cluster; programs that log names or check them both ways wait for other servers.',
      }),
    ];
  }
  const through = linesNamed(kubernetes, 'fallthrough').flatMap(({ args }) => (args.length > 0 ? args : ['.']));
  const fallsThrough = (zone: string) => through.some((word) => isInZone(zone, word.endsWith('.') ? word : `${word}.`));
  const stuck = reverse.filter((zone) => isForwarded(zone) && !fallsThrough(zone));
  if (stuck.length === 0) return [];
  const names = stuck.map((zone) => zone.replace(/\.$/, '')).join(' and ');
  return [
    finding('FW4151', kubernetes, `kubernetes takes ${names} without fallthrough`, {
      why: 'Addresses outside the cluster get NXDOMAIN instead of being forwarded.',
      hint: `Add "fallthrough ${stuck.map((zone) => zone.replace(/\.$/, '')).join(' ')}" to kubernetes.`,
    }),
  ];
}

/** Seconds that denials may be kept, and the line that says so. */
function denialTtl(cache: Directive): { seconds: number; line: Line } {
  const [first] = cache.args;
  const general = first !== undefined && /^\d+$/.test(first) ? Number(first) : 1800;
  const denial = linesNamed(cache, 'denial').find(({ args }) => args[1] !== undefined);
  return denial ? { seconds: Number(denial.args[1]), line: denial } : { seconds: general, line: cache };
}

function longDenials(kubernetes: Directive, block: BlockModel): LintFinding[] {
  const line = linesNamed(kubernetes, 'ttl')[0];
  const ttl = Number(line?.args[0] ?? 5);
  const seconds = Math.min(ttl, 300, ...directivesNamed(block, 'cache').map((cache) => denialTtl(cache).seconds));
  if (!line || !(seconds > sensibleDenial)) return [];
  return [
    finding('FW4154', line, `the TTL of denials is ${seconds} seconds`, {
      why: 'A client, or a node-local cache, that asked for a Service too early goes on believing that it is not there for so long.',
    }),
  ];
}

/** A cache in front of the cluster's names that another server has: nothing tells it of changes. */
function longForwardedDenials(block: BlockModel, clusterZones: readonly string[]): LintFinding[] {
  const serves = block.zones.some(({ zone }) => clusterZones.includes(zone));
  if (!serves || directivesNamed(block, 'kubernetes').length > 0) return [];
  return directivesNamed(block, 'cache').flatMap((cache) => {
    const { seconds, line } = denialTtl(cache);
    if (!(seconds > sensibleDenial)) return [];
    return finding('FW4154', line, `denials of cluster names are kept for up to ${seconds} seconds`, {
      why: 'A name that was asked for before its Service or Pod was there stays unknown for so long.',
      hint: 'Use "denial 9984 5", as the node-local cache does.',
    });
  });
}

function autopathWithoutPods(block: BlockModel): LintFinding[] {
  const verified = directivesNamed(block, 'kubernetes').some((kubernetes) =>
    linesNamed(kubernetes, 'pods').some(({ args }) => args[0] === 'verified'),
  );
  return directivesNamed(block, 'autopath')
    .filter(({ args }) => args.at(-1) === '@kubernetes' && !verified)
    .map((line) =>
      finding('FW4153', line, 'autopath @kubernetes needs "pods verified"', {
        why: "Without the Pods nobody knows a client's namespace, and so its search list: every query goes the long way.",
      }),
    );
}

export function clusterFindings(block: BlockModel, blocks: readonly BlockModel[]): LintFinding[] {
  const zones = blocks.flatMap((other) =>
    directivesNamed(other, 'kubernetes').flatMap((kubernetes) => effectiveZones(kubernetes, other)),
  );
  const clusterZones = ['cluster.local.', ...zones.filter((zone) => !isReverse(zone) && zone !== '.')];
  const own = directivesNamed(block, 'kubernetes').flatMap((kubernetes) => [
    ...insecurePods(kubernetes),
    ...reverseNames(kubernetes, block),
    ...longDenials(kubernetes, block),
  ]);
  return [...own, ...longForwardedDenials(block, clusterZones), ...autopathWithoutPods(block)];
}
