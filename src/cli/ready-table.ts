/** What `fairway up` prints when it is ready: names, addresses, and commands that work when pasted. */
import type { StoreReader } from '../kube/store/store.ts';
import type { HTTPRoute, Ingress, Pod } from '../kube/types/index.ts';
import {
  type GatewaySummary,
  type ListenerSummary,
  listIngresses,
  type ServicePortSummary,
  type ServiceSummary,
  type Summary,
} from '../local/summary.ts';
import { readNginxAnnotations } from '../routing/ingress-nginx/annotations/read.ts';
import { literalStart } from '../routing/ingress-nginx/rewrite.ts';
import { emptyPlan, type Plan } from '../routing/plan/plan.ts';
import { paint, table } from './output.ts';

interface Url {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
}

const wellKnown = { http: 80, https: 443 };

function authority({ scheme, host, port }: Url): string {
  return port === wellKnown[scheme] ? host : `${host}:${port}`;
}

function curl(url: Url): string {
  const target = `${url.scheme}://${authority(url)}${url.path}`;
  return `curl ${url.scheme === 'https' ? '-k ' : ''}--resolve ${url.host}:${url.port}:${url.address} ${target}`;
}

/** A name under a wildcard, so that the command can be pasted. */
const concrete = (host: string) => host.replace(/^\*\./, 'any.');

/** What a front door makes for names without a certificate (control/self-signed.ts). */
const selfSigned = 'self-signed';

/** Names of Ingresses that port 443 has a certificate for, or whose TLS it passes through. */
function securedNames({ listeners, streams = [] }: Plan, address: string): ReadonlySet<string> {
  const isDoor = (one: { readonly address: string; readonly port: number }) =>
    one.address === address && one.port === 443;
  const shown = listeners.filter(isDoor).flatMap(({ tls }) => tls?.certificates ?? []);
  const passed = streams.filter(isDoor).flatMap(({ routes }) => routes.filter(({ tls }) => tls === 'passthrough'));
  return new Set([
    ...shown.filter(({ certificate }) => certificate !== selfSigned).map(({ serverName }) => serverName),
    ...passed.map(({ serverName }) => serverName),
  ]);
}

/** A path that can be asked for: of a pattern, what it begins with for certain. */
const askable = (path: string) => (/^[\w.~%/:@!,;=+-]*$/.test(path) ? path : literalStart(path));

/** A canary has no URLs of its own. */
function ingressUrls(ingress: Ingress, { ingress: door }: Summary, secured: ReadonlySet<string>): Url[] {
  const address = door.addresses[0];
  if (!address || readNginxAnnotations(ingress).asked.canary) return [];
  return (ingress.spec.rules ?? []).flatMap((rule) => {
    const path = askable(rule.http?.paths[0]?.path ?? '/');
    const host = concrete(rule.host ?? address);
    const scheme = rule.host && secured.has(rule.host.toLowerCase()) ? 'https' : 'http';
    return [{ scheme, host, address, port: door[scheme], path } as const];
  });
}

type ParentRef = NonNullable<HTTPRoute['spec']['parentRefs']>[number];

/** The Gateway or ListenerSet that a route names: where it is reached, and its listeners. */
function parentOf(route: HTTPRoute, { kind = 'Gateway', name, namespace: given }: ParentRef, { gateways }: Summary) {
  const namespace = given ?? route.metadata.namespace;
  const isNamed = (one: { namespace: string; name: string }) => one.name === name && one.namespace === namespace;
  for (const gateway of gateways) {
    const found = kind === 'Gateway' ? [gateway].find(isNamed) : gateway.listenerSets.find(isNamed);
    if (found) return { address: gateway.addresses[0], listeners: found.listeners };
  }
  return undefined;
}

/** The first URL of a route on a Gateway: a name and a path that its first rule takes. */
function routeUrl(route: HTTPRoute, summary: Summary): Url | undefined {
  for (const parent of route.spec.parentRefs ?? []) {
    const { address, listeners } = parentOf(route, parent, summary) ?? {};
    const listener = listeners?.find(
      ({ name, protocol }) => protocol === 'HTTP' && (parent.sectionName ?? name) === name,
    );
    if (!listener || !address) continue;
    const match = route.spec.rules?.[0]?.matches?.[0];
    if (match?.headers || match?.method || match?.queryParams || match?.path?.type === 'RegularExpression') continue;
    const host = concrete(route.spec.hostnames?.[0] ?? listener.hostname ?? address);
    return { scheme: 'http', host, address, port: listener.port, path: match?.path?.value ?? '/' };
  }
  return undefined;
}

function urlsOf(summary: Summary, store: StoreReader, plan: Plan): { url: Url; owner: string }[] {
  const secured = securedNames(plan, summary.ingress.addresses[0] ?? '');
  const fromIngresses = listIngresses(store).flatMap((ingress) =>
    ingressUrls(ingress, summary, secured).map((url) => ({
      url,
      owner: `Ingress ${ingress.metadata.namespace}/${ingress.metadata.name}`,
    })),
  );
  const routes = store
    .list<HTTPRoute>('httproutes.gateway.networking.k8s.io')
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const fromRoutes = routes.flatMap((route) => {
    const url = routeUrl(route, summary);
    return url ? [{ url, owner: `HTTPRoute ${route.metadata.namespace}/${route.metadata.name}` }] : [];
  });
  return [...fromIngresses, ...fromRoutes];
}

const most = 12;
const mostSets = 4;
const mostStreams = 8;

function shorten<T>(items: readonly T[], what: string): { shown: readonly T[]; rest: string[] } {
  const more = items.length - most;
  return { shown: items.slice(0, most), rest: more > 0 ? [paint.dim(`  … and ${more} more ${what}`)] : [] };
}

/** `80/TCP`, and where that is when it is not at the Service's own address and port. */
function portCell({ port, protocol, at: [first] }: ServicePortSummary, clusterIP: string | null): string {
  const moved = first !== undefined && first !== `${clusterIP}:${port}`;
  return `${port}/${protocol}${moved ? ` at ${first}` : ''}`;
}

function services(summary: Summary): string[] {
  const own = summary.services.filter(
    ({ namespace, name }) => namespace !== 'kube-system' && !(namespace === 'default' && name === 'kubernetes'),
  );
  const { shown, rest } = shorten(own, 'Services: kubectl get services -A');
  const rows = shown.map(({ namespace, name, clusterIP, ports }) => [
    `${namespace}/${name}`,
    clusterIP ?? 'ExternalName',
    ports.map((port) => portCell(port, clusterIP)).join(',') || '-',
  ]);
  return [
    paint.bold('Services'),
    table([['NAME', 'ADDRESS', 'PORTS'].map((cell) => paint.dim(cell)), ...rows], '  '),
    ...rest,
  ];
}

/** A Gateway, and its ListenerSets below it. */
function gatewayRows({ namespace, name, addresses, listeners, listenerSets }: GatewaySummary): string[][] {
  const ports = (from: readonly ListenerSummary[]) =>
    [...new Set(from.map(({ port, protocol }) => `${port}/${protocol}`))].join(',');
  const more = listenerSets.length - mostSets;
  return [
    [`Gateway ${namespace}/${name}`, addresses.join(', ') || 'no address', ports(listeners)],
    ...listenerSets
      .slice(0, mostSets)
      .map((set) => [`  ListenerSet ${set.namespace}/${set.name}`, '', ports(set.listeners)]),
    ...(more > 0 ? [[`  … and ${more} more ListenerSets`, '', '']] : []),
  ];
}

function doors(summary: Summary, urls: { url: Url; owner: string }[]): string[] {
  const gateways = summary.gateways.flatMap(gatewayRows);
  const { shown, rest } = shorten(urls, 'URLs: kubectl get ingress,httproute -A');
  const rows = shown.map(({ url, owner }) => [`${url.scheme}://${authority(url)}${url.path}`, url.address, owner]);
  const { addresses, http, https } = summary.ingress;
  const carried = summary.ingress.streams
    .slice(0, mostStreams)
    .map((one) => [`  ${one.to ?? 'leads nowhere'}`, '', `${one.port}/${one.protocol}`]);
  const more = summary.ingress.streams.length - mostStreams;
  const others = more > 0 ? [[`  … and ${more} more ports`, '', '']] : [];
  return [
    paint.bold('Doors'),
    table([['Ingress', addresses.join(', '), `${http}/HTTP,${https}/HTTPS`], ...carried, ...others, ...gateways], '  '),
    ...(rows.length > 0 ? ['', paint.bold('URLs'), table(rows, '  '), ...rest] : []),
  ];
}

/** A Service of the people who run this, with an address that its name leads to. */
const isAskable = ({ clusterIP, namespace, name }: ServiceSummary) =>
  clusterIP !== null && clusterIP !== 'None' && namespace !== 'kube-system' && name !== 'kubernetes';

/** Its resolver asks the DNS of the cluster, so that it knows Services by their short names. */
const asksCluster = ({ spec: { dnsPolicy = 'ClusterFirst', hostNetwork } }: Pod) =>
  dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);

/** A Pod that asks for a Service: by its name alone in its own namespace, with the namespace in others. */
function lookupCommand(summary: Summary, store: StoreReader): string | undefined {
  const pods = store
    .list<Pod>('pods')
    .filter(asksCluster)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const services = summary.services.filter(isAskable);
  const podBeside = (service: ServiceSummary) => pods.find(({ metadata }) => metadata.namespace === service.namespace);
  const service = services.find(podBeside) ?? services[0];
  const beside = service && podBeside(service);
  const pod = beside ?? pods[0];
  if (!service || !pod) return undefined;
  const name = beside ? service.name : `${service.name}.${service.namespace}`;
  return `npx fairway lookup ${name} --pod ${pod.metadata.namespace}/${pod.metadata.name}`;
}

function commands(summary: Summary, store: StoreReader, urls: { url: Url; owner: string }[]): string[] {
  const first = urls[0]?.url;
  const gateway = urls.find(({ owner }) => owner.startsWith('HTTPRoute'))?.url;
  const service = summary.services.find(isAskable);
  const dns = summary.dns.at(-1);
  return [
    paint.bold('Try'),
    ...[
      first && curl(first),
      gateway && gateway !== first && curl(gateway),
      dns &&
        service &&
        `dig @${dns.address} -p ${dns.port} ${service.name}.${service.namespace}.svc.cluster.local +short`,
      `kubectl --kubeconfig .fairway/kubeconfig get pods -A`,
      first && `npx fairway explain ${first.scheme}://${authority(first)}${first.path}`,
      lookupCommand(summary, store),
    ].flatMap((command) => (command ? [`  ${command}`] : [])),
  ];
}

/** Without a plan, URLs are those of plain HTTP. */
export function renderReady(
  summary: Summary,
  store: StoreReader,
  elapsedMs: number,
  watched = true,
  plan: Plan = emptyPlan,
): string {
  const urls = urlsOf(summary, store, plan);
  const dns = summary.dns.map(({ address, port }) => `${address}:${port}`).join(', ');
  return [
    `${paint.green('Fairway is ready')} after ${elapsedMs} ms. API ${summary.api}, DNS ${dns || 'not available'}${summary.metrics ? `, metrics ${summary.metrics}` : ''}. ${watched ? 'Edits are live; ' : ''}Ctrl-C ends everything.`,
    '',
    ...doors(summary, urls),
    '',
    ...services(summary),
    '',
    ...commands(summary, store, urls),
  ].join('\n');
}
