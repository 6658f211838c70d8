/** Reads a Corefile as a reviewer would: what does not work, what never happens, what will hurt. Nothing is started. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseCorefile } from '../../dns/corefile/parse.ts';
import type { Corefile } from '../../dns/corefile/types.ts';
import { failingTemplates, hiddenPlugins, misleadingOrder, nothingAnswers } from './chain.ts';
import { clusterFindings } from './cluster.ts';
import { finding, type LintFinding, sortFindings } from './finding.ts';
import { forwardingLoops, type ReadText } from './forwarding.ts';
import { type BlockModel, modelsOf } from './model.ts';
import { missingInProcess, operationFindings } from './operation.ts';
import { emptyImports, refusedOptions, unknownPlugins } from './setups.ts';
import { noRootZone, servedTwice, strayZones } from './zones.ts';

export interface LintOptions {
  /** Name of the Corefile, for places; imports are relative to it. */
  file: string;
  /** Port of `dns://` zones that name none. Default 53. */
  defaultPort?: number;
  /** Default `process.env`. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** What stands for /etc/resolv.conf. Default: the file of this machine. Other files are those of this machine. */
  resolvConf?: string;
}

/** Findings of one run are bounded; what is beyond is not worth reading. */
const maxFindings = 1000;

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A file of the machine that will serve need not be here.
    return undefined;
  }
}

function blockFindings(block: BlockModel, blocks: readonly BlockModel[], readText: ReadText): LintFinding[] {
  const folder = dirname(resolve(block.source.position.file));
  return [
    ...unknownPlugins(block.source),
    ...nothingAnswers(block),
    ...strayZones(block, blocks),
    ...hiddenPlugins(block),
    ...failingTemplates(block),
    ...misleadingOrder(block),
    ...forwardingLoops(block, blocks, { folder, readText }),
    ...clusterFindings(block, blocks),
    ...operationFindings(block),
  ];
}

async function findingsOf(corefile: Corefile, options: LintOptions): Promise<LintFinding[]> {
  const blocks = modelsOf(corefile, options.defaultPort ?? 53);
  const { resolvConf } = options;
  const readText: ReadText = (path) => (path === '/etc/resolv.conf' && resolvConf) || readIfThere(path);
  const refused = await Promise.all(corefile.blocks.map(refusedOptions));
  return [
    ...emptyImports(corefile),
    ...refused.flat(),
    ...servedTwice(blocks),
    ...noRootZone(blocks),
    ...missingInProcess(blocks),
    ...blocks.flatMap((block) => blockFindings(block, blocks, readText)),
  ];
}

/** A block in a snippet that is imported twice is found twice at one place; once is enough. */
function unique(findings: readonly LintFinding[]): LintFinding[] {
  const seen = new Map(findings.map((one) => [JSON.stringify([one.code, one.position, one.message]), one]));
  return [...seen.values()];
}

/** All findings, by line. A Corefile that cannot be parsed has one: where reading ended. */
export async function lintCorefile(text: string, options: LintOptions): Promise<LintFinding[]> {
  const { file, environment } = options;
  const parsed = parseCorefile(text, { file, ...(environment && { environment }) });
  const why = 'The server does not start with it, and a reload keeps the old Corefile.';
  if (!parsed.ok) return [finding('FW4120', parsed.error, parsed.error.message, { why })];
  if (parsed.value.blocks.length === 0) {
    const position = { file, line: 1, column: 1 };
    return [finding('FW4120', { position }, 'there is no server block', { why, hint: 'Write one: ". { ... }".' })];
  }
  return sortFindings(unique(await findingsOf(parsed.value, options)), file).slice(0, maxFindings);
}
