/** Lowers the size that a client says it takes over UDP, for us and for upstreams. */
import type { Plugin } from '../plugin.ts';

export function createBufsize(size: number): Plugin {
  return {
    name: 'bufsize',
    handle(context, next) {
      const { edns } = context.query;
      if (!edns || edns.udpSize <= size) return next(context);
      return next({ ...context, query: { ...context.query, edns: { ...edns, udpSize: size } } });
    },
  };
}
