import type { Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { fallthroughOf, neverFallThrough, zonesOr } from '../zones.ts';
import { createHosts } from './hosts.ts';

const known = new Set(['ttl', 'no_reverse', 'reload', 'fallthrough', 'fallthrough_unsupported']);

/** `hosts [FILE [ZONES...]] { [INLINE]; ttl SECONDS; no_reverse; reload DURATION; fallthrough [ZONES...]; fallthrough_unsupported }`. */
export const setupHosts: Setup = (directives, context) => {
  const directive = single(directives);
  const [file = '/etc/hosts', ...zones] = directive.args;
  const options = { ttl: 3600, reverse: true, reloadMs: 5000, fallthrough: neverFallThrough, passUnsupported: false };
  const isOption = (line: Line) => known.has(line.name);
  const lines = directive.block ?? [];
  const after = lines.findIndex(({ name }) => name === 'fallthrough');
  const late = after < 0 ? undefined : lines.slice(after).find((line) => !isOption(line));
  if (late) refuse(late, `unknown property '${late.name}' of hosts; its lines must stand before fallthrough`);
  readBlock(
    { ...directive, block: lines.filter(isOption) },
    {
      ttl: (line) => {
        options.ttl = integer(line, expectArgs(line, 1)[0], 1, 65_535);
      },
      no_reverse(line) {
        expectArgs(line, 0);
        options.reverse = false;
      },
      reload(line) {
        options.reloadMs = duration(line, expectArgs(line, 1)[0]);
      },
      fallthrough(line) {
        options.fallthrough = fallthroughOf(line);
      },
      fallthrough_unsupported(line) {
        expectArgs(line, 0);
        options.passUnsupported = true;
      },
    },
  );
  const unsupported = lines.find(({ name }) => name === 'fallthrough_unsupported');
  if (unsupported && after < 0) refuse(unsupported, 'fallthrough_unsupported requires fallthrough');
  const inline = lines.filter((line) => !isOption(line)).map(({ name, args }) => [name, ...args].join(' '));
  return createHosts({
    ...options,
    path: context.path(file),
    inline: inline.join('\n'),
    zones: zonesOr(directive, zones, context.zones),
    log: context.log,
    metrics: context.shared.metrics,
  });
};
