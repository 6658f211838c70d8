import { noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createChaos } from './chaos.ts';

/** `chaos [VERSION] [AUTHORS...]`. */
export const setupChaos: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const [version = 'Fairway', ...authors] = directive.args;
  context.settings.anyClass = true;
  return createChaos(version, authors.length > 0 ? authors : ['the Fairway authors']);
};
