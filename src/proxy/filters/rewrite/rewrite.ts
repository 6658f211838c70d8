/** Gateway API `URLRewrite`: the host and the path that a backend sees. The query stays as it came, unless a pattern says otherwise. */

import { rewriteNormal } from '../../../routing/match/normal-rewrite.ts';
import { rewriteFault, rewritePath } from '../../../routing/match/rewrite.ts';
import type { Filter, PathRewrite } from '../../../routing/plan/plan.ts';
import { isAuthority } from '../../http1/authority.ts';
import type { RequestHead } from '../../http1/request.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, FilterComplaint, OutgoingRequest } from '../types.ts';

type Rewrite = Extract<Filter, { type: 'rewrite' }>;

export function compileRewrite(rewrite: Rewrite, complain: FilterComplaint): CompiledFilter {
  const { hostname, path } = rewrite;
  const fault = path && rewriteFault(path);
  // Somewhere in the backend there may be something behind the path as it came.
  if (fault !== undefined) return refuseAll(fault, complain);
  const soundHost = hostname !== undefined && isAuthority(hostname) ? hostname : undefined;
  if (hostname !== undefined && soundHost === undefined) complain(`${JSON.stringify(hostname)} is not a host`);
  return {
    request: (request, _exchange, head) => {
      if (soundHost !== undefined) request.host = soundHost;
      if (!path) return;
      if (request.isNormal) {
        applyNormal(path, request, head);
        return;
      }
      request.path = rewritePath(path, request.path, request.prefixLength);
      request.targetChanged = true;
    },
  };
}

/** A path that is not rewritten goes on as it came. */
function applyNormal(path: PathRewrite, request: OutgoingRequest, head: RequestHead): void {
  const asked = { path: head.path, normalPath: request.path, query: request.query };
  const made = rewriteNormal(path, asked, request.prefixLength);
  if (!made) return;
  request.path = made.path;
  request.query = made.query;
  request.targetChanged = true;
}
