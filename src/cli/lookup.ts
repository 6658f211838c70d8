/** `fairway lookup NAME [TYPE] --pod NS/POD`. */
import { type Command, Option } from 'commander';
import { typeNumber } from '../dns/wire/numbers.ts';
import { createAsker } from '../insight/ask.ts';
import { type LookupResult, lookup } from '../insight/lookup/lookup.ts';
import { renderLookup } from '../insight/lookup/render.ts';
import type { Libc } from '../insight/lookup/resolver-config.ts';
import { resolvConfOf } from '../insight/pod.ts';
import { CommandError, print } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

interface LookupFlags extends SourceFlags {
  pod: string;
  libc: Libc;
  output: string;
}

const formats: Record<string, (result: LookupResult) => string> = {
  text: (result) => renderLookup(result).trimEnd(),
  json: (result) => JSON.stringify(result, null, 2),
};

export function defineLookup(command: Command): void {
  defineSourceOptions(command)
    .argument('<name>', 'the name as a program in the Pod has it: web, web.shop, www.example.com.')
    .argument('[type]', 'record type; default: A and AAAA, as getaddrinfo asks')
    .requiredOption('--pod <pod>', 'whose resolver asks, as NAMESPACE/NAME')
    .addOption(
      new Option('--libc <libc>', 'whose resolver the Pod’s image has').choices(['glibc', 'musl']).default('glibc'),
    )
    .option('-o, --output <format>', 'text or json', 'text')
    .addHelpText(
      'after',
      '\nExample:\n  fairway lookup api-v1 --pod default/dns-cluster-first -f examples/front-door\n\nExit code: 0 when the name is found, 1 when it is not, 2 for wrong usage.',
    )
    .action(async (name: string, type: string | undefined, flags: LookupFlags) => {
      const format = formats[flags.output];
      if (!format) throw new CommandError(`-o takes text or json, not ${flags.output}`, 2);
      const number = type === undefined ? undefined : typeNumber(type.toUpperCase());
      if (type !== undefined && number === undefined) throw new CommandError(`not a record type: ${type}`, 2);
      const world = await worldOf(flags);
      const conf = resolvConfOf(world, flags.pod);
      if (!conf.ok) throw new CommandError(conf.error);
      const asker = createAsker(world, { network: true });
      const result = await lookup({
        name,
        resolvConf: conf.value.text,
        ask: asker.ask,
        libc: flags.libc,
        ...(number !== undefined && { type: number }),
      });
      await asker.close();
      print(format(result));
      process.exitCode = result.outcome === 'found' ? 0 : 1;
    });
}
