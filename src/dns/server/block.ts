/** A server block compiled: its keys as zones, its directives as plugins in their order, one chain. */
import { isAbsolute, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { parseKey, type Transport } from '../corefile/keys.ts';
import type { CorefileError, Directive, ServerBlock } from '../corefile/types.ts';
import { DirectiveError } from '../corefile/values.ts';
import { pluginOrder } from '../plugins/order.ts';
import { compileChain, type Handler, type Plugin } from '../plugins/plugin.ts';
import type { BlockSettings, ProcessWishes, SetupContext, Shared } from '../plugins/setup.ts';

export interface BlockZone {
  readonly transport: Transport;
  readonly zone: string;
  /** Undefined: the default port. */
  readonly port: number | undefined;
}

export interface CompiledBlock {
  readonly source: ServerBlock;
  readonly zones: readonly BlockZone[];
  readonly settings: BlockSettings;
  readonly plugins: readonly Plugin[];
  readonly chain: Handler;
}

function zonesOfKeys(block: ServerBlock): Result<BlockZone[], CorefileError> {
  const found: BlockZone[] = [];
  for (const { text, position } of block.keys) {
    const key = parseKey(text);
    if (!key.ok) return err({ message: key.error, position });
    const { transport, zones, port } = key.value;
    for (const zone of zones) found.push({ transport, zone, port });
  }
  return ok(found);
}

function groupByName(directives: readonly Directive[]): Map<string, Directive[]> {
  const groups = new Map<string, Directive[]>();
  for (const directive of directives) groups.set(directive.name, [...(groups.get(directive.name) ?? []), directive]);
  return groups;
}

export interface BlockOptions {
  readonly shared: Shared;
  readonly wishes: ProcessWishes;
  /** Folder of relative paths until `root` says otherwise. */
  readonly folder: string;
  readonly serverName: (zone: BlockZone, host: string) => string;
}

/** Sets up the plugins of a block. On an error those that were made already are closed. */
export function compileBlock(block: ServerBlock, options: BlockOptions): Result<CompiledBlock, CorefileError> {
  const zones = zonesOfKeys(block);
  if (!zones.ok) return zones;
  const settings: BlockSettings = {
    root: options.folder,
    limits: {},
    debug: false,
    stacktrace: false,
    anyClass: false,
  };
  const plugins: Plugin[] = [];
  const groups = groupByName(block.directives);
  const contextFor = (name: string): SetupContext => ({
    zones: [...new Set(zones.value.map(({ zone }) => zone))],
    get server() {
      return options.serverName(zones.value[0]!, settings.bind?.[0] ?? '');
    },
    settings,
    wishes: options.wishes,
    shared: options.shared,
    log: (level, text) => {
      if (level !== 'debug' || settings.debug) options.shared.log(level, `plugin/${name}: ${text}`);
    },
    has: (wanted) => groups.has(wanted),
    pluginNames: () => plugins.map((plugin) => plugin.name),
    plugin: (wanted) => plugins.find((plugin) => plugin.name === wanted),
    path: (text) => (isAbsolute(text) ? text : join(settings.root, text)),
  });
  try {
    for (const { name, setup } of pluginOrder) {
      const directives = groups.get(name);
      const plugin = directives && setup?.(directives, contextFor(name));
      if (plugin) plugins.push(plugin);
    }
  } catch (error) {
    for (const plugin of plugins) void plugin.close?.();
    if (!(error instanceof DirectiveError)) throw error;
    return err({ message: error.message, position: error.position });
  }
  return ok({ source: block, zones: zones.value, settings, plugins, chain: compileChain(plugins) });
}
