import { describe, expect, it } from 'vitest';
import { encodeQuery } from '../wire/ask.ts';
import { rcode } from '../wire/numbers.ts';
import { parseQuery } from '../wire/query.ts';
import { compileChain, type Plugin, type QueryContext, unwritten } from './plugin.ts';

const parsed = parseQuery(encodeQuery('a.', 1));
if (!parsed.ok) throw new Error('not a query');
const context: QueryContext = {
  query: parsed.query,
  client: { address: '127.0.0.1', port: 1, protocol: 'local' },
  resolve: async () => undefined,
};

describe('compileChain', () => {
  it('asks plugins in order, and refuses what none takes', () => {
    const seen: string[] = [];
    const passing = (name: string): Plugin => ({
      name,
      handle(asked, next) {
        seen.push(name);
        return next(asked);
      },
    });
    expect(compileChain([passing('one'), passing('two')])(context)).toEqual(unwritten(rcode.REFUSED));
    expect(seen).toEqual(['one', 'two']);
  });

  it('lets a plugin change what the next one said', async () => {
    const later: Plugin = { name: 'later', handle: async () => unwritten(rcode.SERVFAIL) };
    const changing: Plugin = {
      name: 'changing',
      async handle(asked, next) {
        const reply = await next(asked);
        return reply.kind === 'unwritten' ? unwritten(rcode.NOTIMP) : reply;
      },
    };
    expect(await compileChain([changing, later])(context)).toEqual(unwritten(rcode.NOTIMP));
  });
});
