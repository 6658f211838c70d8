/** `fairway lint [COREFILE]`, `fairway lint FOLDER`, `fairway lint -f MANIFESTS`. */
import { readFileSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import type { Diagnostic } from '../base/diagnostics/index.ts';
import {
  type EstateSummary,
  estateSummary,
  type LintFinding,
  lintCorefile,
  objectFindings,
  renderEstate,
  renderFindings,
  renderObjectFindings,
} from '../insight/lint/index.ts';
import { formatOf, wholeNumber } from './flags.ts';
import { addIngressNginxFlags } from './ingress-nginx-flags.ts';
import { CommandError, print } from './output.ts';
import { defineObjectSource, quietWorldOf, type SourceFlags } from './sources.ts';

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

type ObjectFormat = (source: string, findings: readonly Diagnostic[], estate: EstateSummary | undefined) => string;

const objectFormats: Record<string, ObjectFormat> = {
  text: (source, findings, estate) =>
    [renderObjectFindings(source, findings), ...(estate ? [renderEstate(estate)] : [])].join('\n'),
  json: (source, findings, ingressNginx) =>
    JSON.stringify({ source, findings, ...(ingressNginx && { ingressNginx }) }, null, 2),
};

const port = wholeNumber(1, 65_535, 'a port is a number from 1 to 65535');

export function defineLint(command: Command): void {
  defineObjectSource(command).argument(
    '[path]',
    'the Corefile, - for standard input; or manifests: a folder, or a file that ends in .yaml, .yml or .json',
  );
  addIngressNginxFlags(command);
  command
    .option('--conf <file>', 'the same, as `fairway dns` has it (default: Corefile)')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--resolv-conf <file>', "what stands for /etc/resolv.conf: the node's, where this is another machine")
    .option('--dns.port <port>', 'port of dns:// zones that name none', port, 53)
    .addHelpText(
      'after',
      '\nExamples:\n  fairway lint Corefile\n  fairway lint examples/front-door\n  fairway lint -f my/manifests --configmap web/nginx-configuration\n\nReads a Corefile or, given a folder, with -f or an API, Ingresses, Gateways, routes and what they refer to.\n\nExit code: 0 when there are at most remarks, 1 for errors and warnings, 2 for wrong usage.',
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

function givenOf(command: Command, names: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(names).find(([name]) => command.getOptionValueSource(name) === 'cli')?.[1];
}

/** Manifests have names that a Corefile has not. */
function isManifests(path: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** Manifests as an argument are the same as with -f. */
async function lint(argument: string | undefined, given: LintFlags, command: Command): Promise<void> {
  const isNamed = argument !== undefined && isManifests(argument);
  const corefile = isNamed ? undefined : argument;
  const flags = isNamed ? { ...given, file: [argument, ...(given.file ?? [])] } : given;
  if (flags.file ?? flags.server ?? flags.kubeconfig ?? flags.context) {
    if (isNamed && (flags.server ?? flags.kubeconfig ?? flags.context))
      throw new CommandError(`${argument} says nothing about an API: ask for one or the other`, 2);
    const useless = corefile === undefined ? givenOf(command, ofCorefiles) : `the Corefile ${corefile}`;
    if (useless) throw new CommandError(`${useless} says nothing about objects: ask for one or the other`, 2);
    return lintObjects(flags);
  }
  const useless = givenOf(command, { adopt: '--no-adopt', controllerName: '--controller-name' }) ?? nginxFlag(command);
  if (useless) throw new CommandError(`${useless} says nothing about a Corefile: name manifests with -f, or an API`, 2);
  return lintFile(corefile, flags);
}

/** The first flag of ingress-nginx that was given. */
function nginxFlag(command: Command): string | undefined {
  const scratch = new Command();
  addIngressNginxFlags(scratch);
  const names = scratch.options.map((option) => [option.attributeName(), option.long ?? ''] as const);
  return givenOf(command, Object.fromEntries(names));
}

async function lintObjects(flags: LintFlags): Promise<void> {
  const format = formatOf(objectFormats, flags.output);
  const world = await quietWorldOf(flags);
  const findings = objectFindings(world);
  print(format(world.source, findings, estateSummary(world)));
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
