/** Pages of another Service in the place of errors, and where requests go while there is no endpoint. */
import type {
  BackendId,
  ErrorPagesFilter,
  Filter,
  RequestValuesFilter,
  Template,
  WeightedBackend,
} from '../../plan/plan.ts';
import type { LocationDesk } from './desk.ts';

export interface ErrorPolicy {
  readonly filters: readonly Filter[];
  readonly otherwise?: NonNullable<WeightedBackend['otherwise']>;
}

export function errorPolicy(desk: LocationDesk): ErrorPolicy {
  const { asked, config } = desk;
  const own = ownDefault(desk);
  const statuses = asked['custom-http-errors'] ?? config.customHttpErrors;
  const isIntercepted = !(asked['disable-proxy-intercept-errors'] ?? config.disableProxyInterceptErrors);
  const pages = statuses.length > 0 && isIntercepted ? (own ?? globalDefault(desk)) : undefined;
  if (
    asked['custom-http-errors']?.length &&
    isIntercepted &&
    pages === undefined &&
    asked['default-backend'] === undefined
  )
    desk.miss('custom-http-errors', 'there is no Service with the pages: name one by default-backend');
  return {
    filters: pages === undefined ? [] : [errorPages(desk, pages, statuses)],
    ...(own !== undefined && { otherwise: { backend: own, filters: [whileEmpty(desk)] } }),
  };
}

function ownDefault(desk: LocationDesk): BackendId | undefined {
  const name = desk.asked['default-backend'];
  return name === undefined ? undefined : firstPort(desk, `${desk.namespace}/${name}`, 'default-backend');
}

/** `--default-backend-service`; what is wrong with it is nothing that an Ingress could mend. */
function globalDefault(desk: LocationDesk): BackendId | undefined {
  const key = desk.config.defaultBackend;
  return key === undefined ? undefined : firstPort(desk, key);
}

function firstPort(desk: LocationDesk, key: string, name?: 'default-backend'): BackendId | undefined {
  const { resolver } = desk.scope;
  const miss = (why: string) => (name === undefined ? undefined : desk.miss(name, why));
  const service = resolver.findService(key);
  if (!service) return miss(`the Service ${key} does not exist`);
  const port = service.spec?.ports?.[0]?.port;
  if (port === undefined) return miss(`the Service ${key} has no port`);
  const slash = key.indexOf('/');
  const found = resolver.findBackend(key.slice(0, slash), { name: key.slice(slash + 1), port: { number: port } });
  return 'id' in found ? found.id : miss(found.reason);
}

function errorPages(desk: LocationDesk, backend: BackendId, statuses: readonly number[]): ErrorPagesFilter {
  return {
    ...{
      type: 'error-pages',
      backend,
      statuses,
      ownAnswers: true,
      refusals: true,
      path: '/',
      asAsked: true,
      statusHeader: 'X-Code',
    },
    facts: [
      ['X-Original-URI', 'uri'],
      ['X-Request-ID', 'request-id'],
      ['X-Forwarded-For', 'client-address'],
    ],
    copyHeaders: [['X-Format', 'accept']],
    setHeaders: [],
    values: about(desk),
  };
}

/** What is empty is not sent. */
function about({ namespace, ingress, facts }: LocationDesk): readonly (readonly [header: string, value: Template])[] {
  return [
    ['X-Namespace', [namespace]],
    ['X-Ingress-Name', [ingress.metadata.name]],
    ['X-Service-Name', [facts.service]],
    ['X-Service-Port', [facts.port]],
  ];
}

function whileEmpty(desk: LocationDesk): RequestValuesFilter {
  return {
    type: 'request-values',
    set: [['X-Code', ['503']], ['X-Format', [{ of: 'header', name: 'accept' }]], ...about(desk)],
  };
}
