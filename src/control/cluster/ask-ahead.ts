/** What everything else depends on, asked of the API before anything is translated: or all of it would be done twice. */
import type { StoreReader } from '../../kube/store/store.ts';
import type { Ingress, IngressClass } from '../../kube/types/index.ts';
import { usualConfigMap } from '../../routing/ingress-nginx/config/settings.ts';
import { type IngressNginxFlags, nginxClass, nginxController } from '../../routing/ingress-nginx/flags.ts';
import type { References } from './references.ts';

const legacyClass = 'kubernetes.io/ingress.class';

/** Resolves when the ConfigMap of ingress-nginx has been answered for, or not in time; at once where nothing is of that class. */
export async function askAhead(
  { reader, awaited }: Pick<References, 'reader' | 'awaited'>,
  flags: IngressNginxFlags = {},
): Promise<void> {
  if (!isOfNginx(reader, flags)) return;
  reader.get('configmaps', flags.configMap ?? usualConfigMap);
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
        [spec?.ingressClassName, annotations?.[legacyClass]].includes(ingressClass),
      )
  );
}
