/** Gateway API `RequestHeaderModifier`. Host is the request's own: setting it rewrites the host, removing it does nothing. */
import type { HeaderChange } from '../../../routing/plan/plan.ts';
import { isAuthority } from '../../http1/authority.ts';
import { compileHeaderChange } from '../header-change.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';

export function compileRequestHeaders(change: HeaderChange, complain: FilterComplaint): CompiledFilter {
  const isHost = (name: string) => name.toLowerCase() === 'host';
  const host = change.set.find(([name]) => isHost(name))?.[1];
  const apply = compileHeaderChange(
    {
      set: change.set.filter(([name]) => !isHost(name)),
      add: change.add.filter(([name]) => !isHost(name)),
      remove: change.remove.filter((name) => !isHost(name)),
    },
    complain,
  );
  if (host === undefined) return { request: ({ fields }) => apply(fields) };
  if (!isAuthority(host)) {
    complain(`${JSON.stringify(host)} is not a host`);
    return { request: ({ fields }) => apply(fields) };
  }
  return {
    request: (request) => {
      request.host = host;
      apply(request.fields);
    },
  };
}
