/** Plugins that do not exist or are not here, and plugins that refuse what is written: asked of the plugins themselves. */
import { dirname, resolve } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { createMetricsRegistry } from '../../base/metrics.ts';
import type { Corefile, CorefileError, ServerBlock } from '../../dns/corefile/types.ts';
import { checkDirective, pluginOrder } from '../../dns/plugins/order.ts';
import type { Shared } from '../../dns/plugins/setup.ts';
import { type CompiledBlock, compileBlock } from '../../dns/server/block.ts';
import { createStore } from '../../kube/store/store.ts';
import { finding, type LintFinding } from './finding.ts';

const known = new Set(pluginOrder.map(({ name }) => name));

/** Plugins that CoreDNS had once. */
const removed: Readonly<Record<string, string>> = {
  proxy: 'CoreDNS 1.5 replaced it: write "forward FROM TO..."',
  reverse: 'It is gone since CoreDNS 1.2: write a template',
  federation: 'It is gone since CoreDNS 1.7, with federation itself',
};

/** Directives that no plugin of ours is for. */
export function unknownPlugins({ directives }: ServerBlock): LintFinding[] {
  return directives.flatMap((directive) => {
    const reason = checkDirective(directive.name);
    if (reason === undefined) return [];
    const isKnown = known.has(directive.name);
    const hint = Object.hasOwn(removed, directive.name) ? removed[directive.name]! : undefined;
    return finding(isKnown ? 'FW4122' : 'FW4121', directive, reason, {
      why: 'The server does not start with it, and a reload keeps the old Corefile.',
      ...(hint !== undefined && { hint }),
    });
  });
}

/** What setups share, with nothing behind it: no socket is opened, no API asked. */
function nothingShared(): Shared {
  const store = createStore();
  return {
    ...{ metrics: createMetricsRegistry(), clock: systemClock, log: () => {} },
    openObjects: () => ({ store, synced: () => true, close: () => {} }),
    fatal: () => {},
    reload: () => Promise.resolve({ changed: false }),
    configurationHash: () => '',
    ...{ ownDoors: () => [], notReady: () => [], stopping: () => false, mapAddress: (wanted) => wanted },
  };
}

/** A file that is not here may well be where the server runs. */
const isAboutFile = (message: string): boolean =>
  /ENOENT|no such file|not an IP address or file: '\.?\//i.test(message);

function refused(error: CorefileError): LintFinding {
  const missing = isAboutFile(error.message);
  return finding('FW4123', error, error.message, {
    why: missing
      ? 'The file is not on this machine. Where it is missing too when the server starts, the server does not start.'
      : 'The server does not start with it, and a reload keeps the old Corefile.',
    ...(missing && { severity: 'warning' as const, hint: 'Make sure that the file is there, mounted for instance.' }),
  });
}

async function close({ plugins }: CompiledBlock): Promise<void> {
  await Promise.all(plugins.map((plugin) => plugin.close?.()));
}

/** All that the plugins of a block refuse: one finding for each, since a plugin that refuses is then left out. */
export async function refusedOptions(block: ServerBlock): Promise<LintFinding[]> {
  const findings: LintFinding[] = [];
  const folder = dirname(resolve(block.position.file));
  let directives = block.directives.filter(({ name }) => checkDirective(name) === undefined);
  for (let round = 0; round <= block.directives.length; round++) {
    const compiled = compileBlock(
      { ...block, directives },
      {
        ...{ shared: nothingShared(), wishes: { pages: new Map(), lameduckMs: 0 }, folder },
        serverName: ({ transport, zone }) => `${transport}://${zone}`,
      },
    );
    if (compiled.ok) {
      await close(compiled.value);
      return findings;
    }
    findings.push(refused(compiled.error));
    const culprit = directiveAt(directives, compiled.error);
    if (culprit === undefined) return findings;
    directives = directives.filter(({ name }) => name !== culprit);
  }
  return findings;
}

/** The name of the directive that a place belongs to. */
function directiveAt(directives: readonly ServerBlock['directives'][number][], { position }: CorefileError) {
  const isHere = (line: { position: CorefileError['position']; block?: readonly (typeof line)[] }): boolean =>
    (line.position.file === position.file &&
      line.position.line === position.line &&
      line.position.column === position.column) ||
    (line.block ?? []).some(isHere);
  return directives.find(isHere)?.name;
}

/** Imports that found nothing. */
export function emptyImports({ warnings }: Corefile): LintFinding[] {
  return warnings.map((warning) =>
    finding('FW4124', warning, warning.message, { why: 'What the files would have said is not in force.' }),
  );
}
