/** Tells clients that ask for it which server answered (RFC 5001). */
import { ednsOption } from '../../wire/numbers.ts';
import { type Plugin, whenSettled } from '../plugin.ts';
import { mapAnswer } from '../reply.ts';

export function createNsid(data: string): Plugin {
  const option = { code: ednsOption.NSID, data: Buffer.from(data, 'utf8') };
  return {
    name: 'nsid',
    handle(context, next) {
      const asked = context.query.edns?.options.some(({ code }) => code === ednsOption.NSID);
      if (!asked) return next(context);
      return whenSettled(next(context), (reply) =>
        mapAnswer(reply, (answer) => ({
          ...answer,
          options: [...(answer.options ?? []).filter(({ code }) => code !== ednsOption.NSID), option],
        })),
      );
    },
  };
}
