import { closeSync, openSync } from 'node:fs';
import type { Directive, Line } from '../../corefile/types.ts';
import { duration, expectArgs, readBlock, refuse } from '../../corefile/values.ts';
import type { Plugin } from '../plugin.ts';
import type { Setup, SetupContext } from '../setup.ts';
import { fallthroughOf, neverFallThrough, zonesOr } from '../zones.ts';
import { createFile, type ServedZone } from './file.ts';
import { createZoneSource } from './source.ts';

interface FileDirective {
  readonly zones: readonly ServedZone[];
  /** 0: the file is read once. */
  readonly reloadMs: number;
}

const defaultReloadMs = 60_000;

/** Why a file cannot be opened; undefined when it can. */
function openError(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'r'));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readOptions(directive: Directive) {
  const options = { reloadMs: defaultReloadMs, byTime: false, fallthrough: neverFallThrough };
  readBlock(directive, {
    reload(line: Line) {
      options.reloadMs = duration(line, expectArgs(line, 1)[0]);
    },
    reload_by_mtime(line) {
      expectArgs(line, 0);
      options.byTime = true;
    },
    fallthrough(line) {
      options.fallthrough = fallthroughOf(line);
    },
    // Older Corefiles name the servers that aliases are followed with; those have long been the server's own plugins.
    upstream: () => {},
  });
  return options;
}

function readFile(directive: Directive, context: SetupContext): FileDirective {
  const [file, ...words] = expectArgs(directive, 1, Infinity);
  const { reloadMs, byTime, fallthrough } = readOptions(directive);
  const path = context.path(file!);
  const missing = openError(path);
  if (missing !== undefined && reloadMs === 0) refuse(directive, `file: ${missing}`);
  if (missing !== undefined)
    context.log('warning', `Failed to open "${path}": ${missing}: trying again every ${reloadMs / 1000}s`);
  const zones = zonesOr(directive, words, context.zones).map((origin) => {
    const source = createZoneSource({ file: path, origin, byTime, log: context.log });
    const error = missing === undefined ? source.load() : undefined;
    if (error !== undefined) refuse(directive, `file: ${error}`);
    return { source, fallthrough };
  });
  return { zones, reloadMs };
}

/** `file DBFILE [ZONES...] { reload DURATION; reload_by_mtime; fallthrough [ZONES...] }`, any number of times. */
export const setupFile: Setup = (directives, context): Plugin => {
  const read = directives.map((directive) => readFile(directive, context));
  const zones = new Map(read.flatMap((one) => one.zones).map((zone) => [zone.source.origin, zone]));
  const plugin = createFile({ zones });
  const timers: NodeJS.Timeout[] = [];
  return {
    ...plugin,
    start() {
      for (const { zones: sources, reloadMs } of read) {
        const check = () => void Promise.all(sources.map(({ source }) => source.check()));
        if (reloadMs > 0) timers.push(setInterval(check, reloadMs).unref());
      }
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      return plugin.close?.();
    },
  };
};
