/** Flags for how the data plane carries traffic: a file with any of its options, and the few that people need daily. */
import { type Command, InvalidArgumentError } from 'commander';
import { formatDiagnostic } from '../base/diagnostics/index.ts';
import { type DataPlaneFile, readDataPlaneFile } from '../local/data-plane-file.ts';
import { readOptions } from '../proxy/config/read.ts';
import type { DataPlaneOptions } from '../proxy/config/schema.ts';
import { CommandError } from './output.ts';

export interface DataPlaneFlags {
  dataPlane?: string;
  trustedProxies?: DataPlaneOptions;
  proxyProtocolFrom?: DataPlaneOptions;
  forwarded?: DataPlaneOptions;
  via?: DataPlaneOptions;
  zone?: DataPlaneOptions;
}

export function addDataPlaneFlags(command: Command): void {
  command
    .option('--data-plane <file>', 'options of the data plane, in YAML or JSON (docs/data-plane.md); flags win over it')
    .option(
      '--trusted-proxies <cidr,...>',
      'believe what these proxies in front say of clients',
      checked((value) => ({ forwarded: { trustedProxies: listOf(value) } })),
    )
    .option(
      '--proxy-protocol-from <cidr,...>',
      'expect a PROXY header (version 1 or 2) on every connection from these balancers',
      checked((value) => ({ proxyProtocol: { from: listOf(value) } })),
    )
    .option(
      '--forwarded <headers>',
      'how backends are told of clients: x-forwarded, forwarded, both or none; default: x-forwarded',
      checked((value) => ({ forwarded: { headers: value } })),
    )
    .option(
      '--via <name>',
      'add this name to Via of requests',
      checked((value) => ({ forwarded: { via: value } })),
    )
    .option(
      '--zone <name>',
      'prefer endpoints of this zone where a backend wants that',
      checked((value) => ({ zone: value })),
    );
}

const listOf = (value: string): string[] =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** Reads a flag as the file has it; a flag with any fault is refused. */
function checked(toDocument: (value: string) => unknown): (value: string) => DataPlaneOptions {
  return (value) => {
    const { options, faults } = readOptions(toDocument(value));
    if (faults.length > 0) throw new InvalidArgumentError(faults.map(({ message }) => message).join('; '));
    return options;
  };
}

/** What the file and the flags say together. Throws CommandError for a file that cannot be read. */
export function dataPlaneOf(flags: DataPlaneFlags): DataPlaneFile {
  const { dataPlane, trustedProxies, proxyProtocolFrom, forwarded, via, zone } = flags;
  const file = dataPlane === undefined ? { options: {}, diagnostics: [] } : readDataPlaneFile(dataPlane);
  if ('unread' in file) throw new CommandError(formatDiagnostic(file.unread));
  const given = [trustedProxies, proxyProtocolFrom, forwarded, via, zone].filter((one) => one !== undefined);
  return { options: given.reduce(mergeOptions, file.options), diagnostics: file.diagnostics };
}

/** Sections are put together, values replaced. */
function mergeOptions(base: DataPlaneOptions, over: DataPlaneOptions): DataPlaneOptions {
  return {
    ...base,
    ...over,
    ...(over.forwarded && { forwarded: { ...base.forwarded, ...over.forwarded } }),
    ...(over.proxyProtocol && { proxyProtocol: { ...base.proxyProtocol, ...over.proxyProtocol } }),
  };
}
