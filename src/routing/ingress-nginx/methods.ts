/** Methods that nginx refuses before it looks for a location (ngx_http_process_request_header). */
import type { RespondFilter } from '../plan/plan.ts';

/** TRACE repeats what a client has sent, credentials among it. The data plane takes no CONNECT. */
export const noTrace: RespondFilter = {
  type: 'respond',
  when: [{ value: [{ of: 'fact', fact: 'method' }], test: { type: 'equals', text: 'TRACE' } }],
  status: 405,
  reason: 'TRACE is not for clients',
};
