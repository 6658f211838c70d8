import { readFileSync } from 'node:fs';
import type { Line } from '../../corefile/types.ts';
import { expectArgs, noBlock, refuse, single } from '../../corefile/values.ts';
import { canonicalName, parseName } from '../../wire/name.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, zonesOr } from '../zones.ts';
import { createAutopath, type SearchPath } from './autopath.ts';

/** The last `search` line of a resolv.conf (resolv.conf(5)), canonical; names that cannot be are left out. */
export function searchOf(text: string): string[] {
  const lines = [...text.matchAll(/^\s*search[ \t]+(.*)$/gm)];
  const words = lines.at(-1)?.[1]?.trim().split(/\s+/) ?? [];
  return words.filter((word) => parseName(word)).map(canonicalName);
}

function readSearch(line: Line, path: string): string[] {
  try {
    return searchOf(readFileSync(path, 'utf8'));
  } catch (error) {
    return refuse(line, `autopath: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `autopath [ZONES...] RESOLV-CONF|@PLUGIN`. */
export const setupAutopath: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const words = [...expectArgs(directive, 1, Infinity)];
  const source = words.pop()!;
  const inZone = createZoneMatcher(zonesOr(directive, words, context.zones));
  const fixed = source.startsWith('@') ? undefined : readSearch(directive, context.path(source));
  const searchPath: SearchPath = fixed
    ? () => fixed
    : ({ client }) => context.plugin(source.slice(1))?.searchPath?.(client) ?? [];
  const plugin = createAutopath({ inZone, searchPath, metrics: context.shared.metrics });
  return {
    ...plugin,
    start() {
      if (!fixed && !context.plugin(source.slice(1))?.searchPath)
        context.log('error', `${source} gives no search path: queries pass through as they are`);
    },
  };
};
