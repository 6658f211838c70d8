/** Ends the wait for an answer after a time: the client gets SERVFAIL instead of silence. */
import { rcode } from '../../wire/numbers.ts';
import { type Plugin, type Reply, unwritten } from '../plugin.ts';

export function createCancel(timeoutMs: number): Plugin {
  return {
    name: 'cancel',
    handle(context, next) {
      const reply = next(context);
      if (!(reply instanceof Promise)) return reply;
      return new Promise<Reply>((resolve, reject) => {
        const late = unwritten(rcode.SERVFAIL, `no answer in ${timeoutMs} ms`, 'cancel');
        const timer = setTimeout(() => resolve(late), timeoutMs);
        reply.then(resolve, reject).finally(() => clearTimeout(timer));
      });
    },
  };
}
