/** `fairway resolvconf NS/POD`. */
import type { Command } from 'commander';
import { resolvConfOf } from '../insight/pod.ts';
import { type ResolvConf, renderResolvConf } from '../insight/resolvconf/resolvconf.ts';
import { formatOf } from './flags.ts';
import { CommandError, print } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

const formats: Record<string, (conf: ResolvConf) => string> = {
  text: renderResolvConf,
  json: (conf) => JSON.stringify(conf, null, 2),
};

export function defineResolvconf(command: Command): void {
  defineSourceOptions(command)
    .argument('<pod>', 'the Pod, as NAMESPACE/NAME')
    .option('-o, --output <format>', 'text or json', 'text')
    .addHelpText(
      'after',
      '\nExample:\n  fairway resolvconf default/dns-none -f examples/front-door\n\nComments say where each entry comes from, and what is wrong.',
    )
    .action(async (name: string, flags: SourceFlags & { output: string }) => {
      const format = formatOf(formats, flags.output);
      const conf = resolvConfOf(await worldOf(flags), name);
      if (!conf.ok) throw new CommandError(conf.error, conf.error.startsWith('a Pod') ? 2 : 1);
      print(format(conf.value).trimEnd());
    });
}
