/** `fairway get RESOURCE`: what is served and what it is used for, as kubectl shows objects. */
import type { Command } from 'commander';
import { defineGetDnsWaste } from './get-dns-waste.ts';
import { defineGetRecords } from './get-records.ts';
import { defineGetRoutes } from './get-routes.ts';

interface GetEntry {
  readonly name: string;
  readonly summary: string;
  readonly define: (command: Command) => void;
}

const entries: readonly GetEntry[] = [
  { name: 'routes', summary: 'rules of the front door: match, rank, backends, status', define: defineGetRoutes },
  { name: 'records', summary: 'names that DNS serves, and the object of each', define: defineGetRecords },
  {
    name: 'dns-waste',
    summary: 'workloads whose search lists ask in vain, and what would spare it',
    define: defineGetDnsWaste,
  },
];

export function defineGet(command: Command): void {
  for (const { name, summary, define } of entries) define(command.command(name).description(summary));
  command.addHelpText(
    'after',
    '\nExamples:\n  fairway get routes -f examples/front-door\n  fairway get records mysql -f examples/front-door\n  fairway get dns-waste',
  );
}
