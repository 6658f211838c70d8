/**
 * What is evidently referred to, asked of the API before anything is translated: or all of it would be done twice. What is
 * forgotten here is asked for by the translators.
 */
import type { StoreReader } from '../../kube/store/store.ts';
import type { Gateway, GatewayClass, Ingress, IngressClass, ListenerSet } from '../../kube/types/index.ts';
import { resources } from '../../routing/gateway/kinds.ts';
import { createClassBook, legacyAnnotation } from '../../routing/ingress/class-claim.ts';
import { usualConfigMap } from '../../routing/ingress-nginx/config/settings.ts';
import { type IngressNginxFlags, nginxClass, nginxController } from '../../routing/ingress-nginx/flags.ts';
import { gatewayControllerName } from '../../routing/translate.ts';
import type { References } from './references.ts';

export interface AskAheadOptions extends IngressNginxFlags {
  /** Of our GatewayClasses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
}

type Listeners = Gateway['spec']['listeners'] | ListenerSet['spec']['listeners'];

/** Resolves when all of it has been answered for, or not in time; at once where there is nothing to ask for. */
export async function askAhead(
  { reader, awaited }: Pick<References, 'reader' | 'awaited'>,
  options: AskAheadOptions = {},
): Promise<void> {
  if (isOfNginx(reader, options)) reader.get('configmaps', options.configMap ?? usualConfigMap);
  const secrets = [...ingressSecrets(reader, options), ...gatewaySecrets(reader, options)];
  if (options.defaultCertificate) secrets.push(options.defaultCertificate);
  for (const key of new Set(secrets)) reader.get('secrets', key);
  await awaited();
}

function isOfNginx(
  store: StoreReader,
  { controllerClass = nginxController, ingressClass = nginxClass }: IngressNginxFlags,
) {
  return (
    store
      .list<IngressClass>('ingressclasses.networking.k8s.io')
      .some(({ spec }) => spec?.controller === controllerClass) ||
    store
      .list<Ingress>('ingresses.networking.k8s.io')
      .some(({ spec, metadata: { annotations } }) =>
        [spec?.ingressClassName, annotations?.[legacyAnnotation]].includes(ingressClass),
      )
  );
}

function ingressSecrets(store: StoreReader, flags: IngressNginxFlags): string[] {
  const book = createClassBook(store, flags);
  return store.list<Ingress>('ingresses.networking.k8s.io').flatMap((ingress) => {
    const sections = ingress.spec?.tls ?? [];
    if (sections.length === 0 || !book.claimOf(ingress).ours) return [];
    const { namespace = 'default' } = ingress.metadata;
    return sections.flatMap(({ secretName }) => (secretName ? [`${namespace}/${secretName}`] : []));
  });
}

function gatewaySecrets(store: StoreReader, { controllerName = gatewayControllerName }: AskAheadOptions): string[] {
  const classes = new Set(
    store
      .list<GatewayClass>(resources.gatewayClass)
      .filter(({ spec }) => spec.controllerName === controllerName)
      .map(({ metadata }) => metadata.name),
  );
  const gateways = store
    .list<Gateway>(resources.gateway)
    .filter(({ spec: { gatewayClassName } }) => classes.has(gatewayClassName));
  const ours = new Set(gateways.map(({ metadata: { namespace = 'default', name } }) => `${namespace}/${name}`));
  const sets = store
    .list<ListenerSet>(resources.listenerSet)
    .filter(({ spec: { parentRef }, metadata: { namespace = 'default' } }) =>
      ours.has(`${parentRef.namespace ?? namespace}/${parentRef.name}`),
    );
  return [...gateways, ...sets].flatMap(({ metadata, spec }) => ownSecrets(metadata.namespace, spec.listeners));
}

/** Those of the same namespace: what a ReferenceGrant has a say in is for the translator to judge. */
function ownSecrets(namespace = 'default', listeners: Listeners = []): string[] {
  return listeners.flatMap(({ tls }) =>
    (tls?.certificateRefs ?? [])
      .filter((ref) => (ref.group ?? '') === '' && (ref.kind ?? 'Secret') === 'Secret')
      .filter((ref) => (ref.namespace ?? namespace) === namespace)
      .map(({ name }) => `${namespace}/${name}`),
  );
}
