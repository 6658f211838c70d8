/** Plans for printing. */
import type { Backend, Filter, Plan, Route, Template, VirtualHost, WeightedBackend } from './plan.ts';

/** The plan without private keys, hashes of passwords and what services are told in confidence, for printing. */
export function redactPlan(plan: Plan): Plan {
  const certificates = Object.fromEntries(
    Object.entries(plan.certificates).map(([id, certificate]) => [id, { ...certificate, key: '(redacted)' }]),
  );
  const listeners = plan.listeners.map((listener) => ({ ...listener, hosts: listener.hosts.map(redactHost) }));
  const backends = Object.fromEntries(
    Object.entries(plan.backends).map(([id, backend]) => [id, redactBackend(backend)]),
  );
  return { ...plan, listeners, backends, certificates };
}

function redactBackend(backend: Backend): Backend {
  const { tls } = backend;
  if (!tls?.clientCertificate) return backend;
  return { ...backend, tls: { ...tls, clientCertificate: { ...tls.clientCertificate, key: '(redacted)' } } };
}

function redactHost(host: VirtualHost): VirtualHost {
  return { ...host, routes: host.routes.map(redactRoute) };
}

function redactRoute(route: Route): Route {
  const { action } = route;
  const filters = route.filters.map(redactFilter);
  if (action.type !== 'forward') return { ...route, filters };
  const backends = action.backends.map(redactShare);
  return { ...route, filters, action: { ...action, backends } };
}

function redactShare(share: WeightedBackend): WeightedBackend {
  const filters = share.filters.map(redactFilter);
  const { otherwise } = share;
  if (!otherwise) return { ...share, filters };
  return { ...share, filters, otherwise: { ...otherwise, filters: otherwise.filters.map(redactFilter) } };
}

function redactFilter<F extends Filter>(filter: F): F;
function redactFilter(filter: Filter): Filter {
  if (filter.type === 'any-of') return { ...filter, filters: filter.filters.map((one) => redactFilter(one)) };
  if (filter.type === 'error-pages' || (filter.type === 'external-auth' && filter.protocol === 'http')) {
    // Constants that are sent may be keys of the service.
    const setHeaders = filter.setHeaders.map(([name]) => [name, '(redacted)'] as const);
    if (!filter.values) return { ...filter, setHeaders };
    return { ...filter, setHeaders, values: filter.values.map(([name, value]) => [name, redactTexts(value)] as const) };
  }
  if (filter.type !== 'basic-auth') return filter;
  return { ...filter, users: filter.users.map(({ name }) => ({ name, hash: '(redacted)' })) };
}

const redactTexts = (template: Template): Template =>
  template.map((part) => (typeof part === 'string' ? '(redacted)' : part));
