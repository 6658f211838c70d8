import { duration, expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import { parseHostPort } from '../../server/addresses.ts';
import { addPage } from '../pages.ts';
import type { Setup } from '../setup.ts';
import { createHealth } from './health.ts';

/** `health [ADDRESS] { lameduck DURATION }`. */
export const setupHealth: Setup = (directives, context) => {
  const directive = single(directives);
  const [address = ':8080'] = expectArgs(directive, 0, 1);
  const at = parseHostPort(address);
  if (!at) refuse(directive, `health: not an address with a port: ${address}`);
  readBlock(directive, {
    lameduck(line) {
      context.wishes.lameduckMs = Math.max(context.wishes.lameduckMs, duration(line, expectArgs(line, 1)[0]));
    },
  });
  addPage(context.wishes, address, '/health', () => ({ status: 200, text: 'OK' }));
  const { metrics, pageDoor } = context.shared;
  return createHealth({ metrics, log: context.log, door: () => pageDoor?.(address) });
};
