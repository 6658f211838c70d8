/** `fairway lint [COREFILE]`, `fairway lint -f MANIFESTS`. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Diagnostic } from '../base/diagnostics/index.ts';
import {
  type LintFinding,
  lintCorefile,
  objectFindings,
  renderFindings,
  renderObjectFindings,
} from '../insight/lint/index.ts';
import { formatOf, wholeNumber } from './flags.ts';
import { CommandError, print } from './output.ts';
import { defineObjectSource, type SourceFlags, worldOf } from './sources.ts';

interface LintFlags extends SourceFlags {
  conf?: string;
  output: string;
  resolvConf?: string;
  'dns.port': number;
}

const formats: Record<string, (file: string, findings: readonly LintFinding[]) => string> = {
  text: renderFindings,
  json: (file, findings) => JSON.stringify({ file, findings }, null, 2),
};

const objectFormats: Record<string, (source: string, findings: readonly Diagnostic[]) => string> = {
  text: renderObjectFindings,
  json: (source, findings) => JSON.stringify({ source, findings }, null, 2),
};

const port = wholeNumber(1, 65_535, 'a port is a number from 1 to 65535');

export function defineLint(command: Command): void {
  defineObjectSource(command)
    .argument('[corefile]', 'the Corefile; - for standard input')
    .option('--conf <file>', 'the same, as `fairway dns` has it (default: Corefile)')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--resolv-conf <file>', "what stands for /etc/resolv.conf: the node's, where this is another machine")
    .option('--dns.port <port>', 'port of dns:// zones that name none', port, 53)
    .addHelpText(
      'after',
      '\nExamples:\n  fairway lint Corefile\n  fairway lint -f examples/front-door\n\nReads a Corefile or, with -f or an API, Ingresses, Gateways, routes and what they refer to.\n\nExit code: 0 when there are at most remarks, 1 for errors and warnings, 2 for wrong usage.',
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

/** Flags of which each belongs to one of the two things that are looked at. */
const ofCorefiles = { conf: '--conf', resolvConf: '--resolv-conf', 'dns.port': '--dns.port' } as const;

function given(command: Command, names: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(names).find(([name]) => command.getOptionValueSource(name) === 'cli')?.[1];
}

async function lint(argument: string | undefined, flags: LintFlags, command: Command): Promise<void> {
  if (flags.file ?? flags.server ?? flags.kubeconfig ?? flags.context) {
    const useless = argument === undefined ? given(command, ofCorefiles) : `the Corefile ${argument}`;
    if (useless) throw new CommandError(`${useless} says nothing about objects: ask for one or the other`, 2);
    return lintObjects(flags);
  }
  if (given(command, { adopt: '' }) !== undefined)
    throw new CommandError('--no-adopt says nothing about a Corefile: name manifests with -f, or an API', 2);
  return lintFile(argument, flags);
}

async function lintObjects(flags: LintFlags): Promise<void> {
  const format = formatOf(objectFormats, flags.output);
  const world = await worldOf(flags);
  const findings = objectFindings(world);
  print(format(world.source, findings));
  process.exitCode = codeFor(findings);
}

const codeFor = (findings: readonly Pick<Diagnostic, 'severity'>[]): 0 | 1 =>
  findings.some(({ severity }) => severity !== 'info') ? 1 : 0;

async function lintFile(argument: string | undefined, flags: LintFlags): Promise<void> {
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
  process.exitCode = codeFor(findings);
}
