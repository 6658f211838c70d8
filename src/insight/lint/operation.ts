/** What a server needs to be run: health, readiness, metrics, a log of errors, a watch over its own file. */
import type { Directive } from '../../dns/corefile/types.ts';
import { parseHostPort } from '../../dns/server/addresses.ts';
import { finding, type LintFinding } from './finding.ts';
import { type BlockModel, blockText, directivesNamed, effectiveZones, linesNamed } from './model.ts';

const has = (block: BlockModel, name: string): boolean => directivesNamed(block, name).length > 0;

function missing(block: BlockModel, name: string, why: string): LintFinding {
  return finding('FW4160', block.source, `${blockText(block)} has no ${name}`, {
    why,
    hint: `Add "${name}" to the block.`,
  });
}

/** Plugins that belong into a block for what else is in it. */
export function missingInBlock(block: BlockModel): LintFinding[] {
  const found: LintFinding[] = [];
  const forwards = directivesNamed(block, 'forward');
  if (!has(block, 'errors') && (forwards.length > 0 || has(block, 'kubernetes')))
    found.push(missing(block, 'errors', 'Queries that fail leave no trace.'));
  if (!has(block, 'cache') && forwards.length > 0)
    found.push(missing(block, 'cache', 'Every query is forwarded, also the one that was answered a moment ago.'));
  const byFile = forwards.some(({ args }) => args.slice(1).some((word) => word.startsWith('/')));
  const everything = forwards.some((forward) => effectiveZones(forward, block).includes('.'));
  if (!has(block, 'loop') && byFile && everything)
    found.push(
      missing(block, 'loop', 'When the resolv.conf of the host leads back here, nobody notices until memory runs out.'),
    );
  return found;
}

const reasons = {
  health: 'The kubelet cannot tell a hanging server, and a stop is not gentle.',
  ready: 'A Pod gets queries before it knows the Services of the cluster.',
  reload: 'A change of the ConfigMap is not noticed until the Pod is restarted.',
} as const;

/** Plugins that the whole process needs once, where it serves a cluster. */
export function missingInProcess(blocks: readonly BlockModel[]): LintFinding[] {
  const cluster = blocks.find((block) => has(block, 'kubernetes'));
  if (!cluster) return [];
  return (Object.keys(reasons) as (keyof typeof reasons)[])
    .filter((name) => !blocks.some((block) => has(block, name)))
    .map((name) =>
      finding('FW4160', cluster.source, `no block has ${name}`, {
        why: reasons[name],
        hint: `Add "${name}" to ${blockText(cluster)}.`,
      }),
    );
}

/** Ports at which kubeadm's Deployment looks. */
const probed = {
  health: {
    address: ':8080',
    port: 8080,
    why: 'The liveness probe of kubeadm’s Deployment asks :8080/health on the address of the Pod: the kubelet restarts the Pod again and again.',
  },
  ready: {
    address: ':8181',
    port: 8181,
    why: 'The readiness probe of kubeadm’s Deployment asks :8181/ready on the address of the Pod: it never becomes ready and gets no query.',
  },
  prometheus: {
    address: 'localhost:9153',
    port: 9153,
    why: 'The annotations of kubeadm’s Service name port 9153: Prometheus finds no metrics.',
  },
} as const;

function unprobed(name: keyof typeof probed, directive: Directive): LintFinding[] {
  const { address, port, why } = probed[name];
  const at = parseHostPort(directive.args[0] ?? address);
  if (!at) return [];
  const local = at.host === 'localhost' || at.host.startsWith('127.') || at.host === '::1';
  if (at.port === port && !local) return [];
  const place = directive.args[0] ?? `${address} (the default)`;
  return [
    finding('FW4161', directive, `${name} is at ${place}, not at :${port} on all addresses`, {
      why,
      hint: `Write "${name} :${port}", or change the Deployment.`,
    }),
  ];
}

export function operationFindings(block: BlockModel): LintFinding[] {
  const cluster = has(block, 'kubernetes');
  const names = Object.keys(probed) as (keyof typeof probed)[];
  const pages = cluster
    ? names.flatMap((name) => directivesNamed(block, name).flatMap((line) => unprobed(name, line)))
    : [];
  const abrupt = cluster
    ? directivesNamed(block, 'health').filter((health) => linesNamed(health, 'lameduck').length === 0)
    : [];
  const lameduck = abrupt.map((health) =>
    finding('FW4162', health, 'health has no lameduck', {
      why: 'When a Pod is stopped, nodes go on sending queries to it for some seconds; without lameduck they are lost.',
    }),
  );
  return [...pages, ...lameduck, ...missingInBlock(block)];
}
