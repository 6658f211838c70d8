/** Options that `explain`, `lookup` and `resolvconf` share: where the objects come from. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { openWorld, SourceError } from '../insight/sources.ts';
import type { World } from '../insight/world.ts';
import { gatewayControllerName } from '../routing/translate.ts';
import { printUnread } from './findings.ts';
import { collect, controllerName } from './flags.ts';
import { type IngressNginxCliFlags, ingressFlagsOf } from './ingress-nginx-flags.ts';
import { CommandError } from './output.ts';

export interface SourceFlags extends IngressNginxCliFlags {
  file?: string[];
  server?: string;
  kubeconfig?: string;
  context?: string;
  adopt: boolean;
  controllerName?: string;
  nodeResolvConf?: string;
  output?: string;
}

/** An API and manifests are never asked at once. */
const fromApi = (flags: string, text: string) => new Option(flags, text).conflicts('file');

/** Where objects come from, and which of them count. */
export function defineObjectSource(command: Command): Command {
  return command
    .option('-f, --file <path>', 'manifests to read: a file, a folder, or - for standard input (repeatable)', collect)
    .addOption(fromApi('--server <url>', 'Kubernetes API to ask; default: the fairway up that runs in this folder'))
    .addOption(fromApi('--kubeconfig <file>', 'kubeconfig of the Kubernetes API to ask'))
    .addOption(fromApi('--context <name>', 'context of the kubeconfig; default: its current one'))
    .option('--no-adopt', 'leave classes of other controllers alone, as in a cluster')
    .option(
      '--controller-name <name>',
      'what the fairway gateway in question was started with',
      controllerName,
      gatewayControllerName,
    );
}

/** The same, for questions that the node's resolv.conf has to do with. */
export function defineSourceOptions(command: Command): Command {
  return defineObjectSource(command).option(
    '--node-resolv-conf <file>',
    'resolv.conf of the node, instead of the one the Node tells',
  );
}

/**
 * Opens the world that the flags name, and tells what could not be read of its files. A source that cannot be read ends
 * the command with exit code 1.
 */
export async function worldOf(flags: SourceFlags): Promise<World> {
  const world = await quietWorldOf(flags);
  printUnread(world.unread);
  return world;
}

/** The same for commands that show all findings themselves. */
export async function quietWorldOf(flags: SourceFlags): Promise<World> {
  try {
    return await openWorld({
      ...(flags.file && { files: flags.file }),
      ...(flags.file?.includes('-') && { stdin: await text(process.stdin) }),
      ...(flags.server && { server: flags.server }),
      ...(flags.kubeconfig && { kubeconfig: flags.kubeconfig }),
      ...(flags.context && { context: flags.context }),
      ...(flags.adopt === false && { adopt: false }),
      ...(flags.controllerName && { controllerName: flags.controllerName }),
      ...ingressFlagsOf(flags),
      ...(flags.nodeResolvConf && { nodeResolvConf: readFileSync(flags.nodeResolvConf, 'utf8') }),
    });
  } catch (error) {
    if (error instanceof SourceError) throw new CommandError(error.message);
    throw error;
  }
}
