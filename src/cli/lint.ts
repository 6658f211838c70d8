/** `fairway lint [COREFILE]`. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type LintFinding, lintCorefile, renderFindings } from '../insight/lint/index.ts';
import { formatOf, wholeNumber } from './flags.ts';
import { CommandError, print } from './output.ts';

interface LintFlags {
  conf?: string;
  output: string;
  resolvConf?: string;
  'dns.port': number;
}

const formats: Record<string, (file: string, findings: readonly LintFinding[]) => string> = {
  text: renderFindings,
  json: (file, findings) => JSON.stringify({ file, findings }, null, 2),
};

const port = wholeNumber(1, 65_535, 'a port is a number from 1 to 65535');

export function defineLint(command: Command): void {
  command
    .argument('[corefile]', 'the Corefile; - for standard input')
    .option('--conf <file>', 'the same, as `fairway dns` has it (default: Corefile)')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--resolv-conf <file>', "what stands for /etc/resolv.conf: the node's, where this is another machine")
    .option('--dns.port <port>', 'port of dns:// zones that name none', port, 53)
    .addHelpText(
      'after',
      '\nExample:\n  fairway lint Corefile\n\nExit code: 0 when there are at most remarks, 1 for errors and warnings, 2 for wrong usage.',
    )
    .action(lint);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}

async function lint(argument: string | undefined, flags: LintFlags): Promise<void> {
  const format = formatOf(formats, flags.output);
  if (argument !== undefined && flags.conf !== undefined)
    throw new CommandError('name the Corefile once: as an argument or with --conf', 2);
  const file = argument ?? flags.conf ?? 'Corefile';
  const content = file === '-' ? await text(process.stdin) : read(file);
  const resolvConf = flags.resolvConf === undefined ? undefined : read(flags.resolvConf);
  const name = file === '-' ? 'stdin' : file;
  const findings = await lintCorefile(content, {
    ...{ file: name, defaultPort: flags['dns.port'] },
    ...(resolvConf !== undefined && { resolvConf }),
  });
  print(format(name, findings));
  process.exitCode = findings.some(({ severity }) => severity !== 'info') ? 1 : 0;
}
