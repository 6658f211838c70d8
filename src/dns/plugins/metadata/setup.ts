import { noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, zonesOr } from '../zones.ts';

/** `metadata [ZONES...]`: plugins publish values about the queries of these zones. */
export const setupMetadata: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const inZone = createZoneMatcher(zonesOr(directive, directive.args, context.zones));
  context.settings.collectMetadata = (key) => inZone(key) !== undefined;
  return undefined;
};
