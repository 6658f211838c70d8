/** Bodies of requests kept to a size: by what they announce, and while they come where they announce nothing. */
import type { RequestSizeFilter } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import { bodyKind } from '../../http1/request.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint } from '../types.ts';

export function compileRequestSize({ maxBytes }: RequestSizeFilter, complain: FilterComplaint): CompiledFilter {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0)
    return refuseAll(`${maxBytes} is not a number of bytes`, complain);
  const denial: Denial = {
    status: 413,
    flag: 'body_too_large',
    reason: `the body of the request is larger than ${maxBytes} bytes`,
  };
  return {
    gate(exchange, head) {
      if (head.body === bodyKind.chunked) {
        const attached = attachmentsOf(exchange);
        attached.maxBodyBytes = Math.min(attached.maxBodyBytes, maxBytes);
        // It may be here already, because a gate before this one has asked for it.
        return exchange.requestBytes > maxBytes ? denial : undefined;
      }
      return head.contentLength > maxBytes ? denial : undefined;
    },
  };
}
