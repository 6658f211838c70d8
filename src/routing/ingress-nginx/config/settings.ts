/** The ConfigMaps of ingress-nginx as they are in a store: read once for as long as they are the same. */
import { type Diagnostic, diagnostic } from '../../../base/diagnostics/index.ts';
import type { ConfigMap } from '../../../kube/types/index.ts';
import { addFindings, capture } from '../../incremental/capture.ts';
import type { Context } from '../../ingress/context.ts';
import type { IngressNginxFlags } from '../flags.ts';
import { defaultNginxConfig, type NginxConfig } from './config.ts';
import { readNginxConfig } from './read.ts';
import { type CarriedStreams, carryStreams, keepCarried } from './services-map.ts';

/** Where its chart and its plain manifests put them. */
export const usualConfigMap = 'ingress-nginx/ingress-nginx-controller';
const usualTcpMaps: readonly string[] = ['ingress-nginx/tcp-services', 'ingress-nginx/ingress-nginx-tcp'];
const usualUdpMaps: readonly string[] = ['ingress-nginx/udp-services', 'ingress-nginx/ingress-nginx-udp'];

export interface NginxSettings {
  /** The same object for as long as nothing of it changes. */
  readonly config: NginxConfig;
  readonly carried: CarriedStreams;
}

export interface SettingsMemory {
  /** Tells what is wrong with them, each time. `isServed`: there are Ingresses of ingress-nginx; without, nothing is read. */
  update(context: Context, flags: IngressNginxFlags, isServed: boolean): NginxSettings;
}

const noStreams: CarriedStreams = { streams: [], backends: [] };
const unread: NginxSettings = { config: defaultNginxConfig, carried: noStreams };

interface Read {
  readonly flags: IngressNginxFlags;
  /** What was read, by its key; undefined for what was not there. */
  readonly from: ReadonlyMap<string, ConfigMap | undefined>;
  /** Why what the operator says is not known. */
  readonly unread: string | undefined;
  readonly config: NginxConfig;
  readonly findings: readonly Diagnostic[];
}

export function createSettingsMemory(): SettingsMemory {
  let read: Read | undefined;
  let carried: CarriedStreams | undefined;
  return {
    update(context, flags, isServed) {
      if (!isServed) return unread;
      const { store } = context.input;
      const isCurrent =
        read?.flags === flags &&
        [...read.from].every(([key, map]) => store.get('configmaps', key) === map) &&
        read.unread === whyUnread(context, flags);
      if (!read || !isCurrent) read = readAll(context, flags);
      addFindings(context, read.findings);
      carried = keepCarried(carry(context, flags), carried);
      return { config: flags.config ?? read.config, carried };
    },
  };
}

function readAll(context: Context, flags: IngressNginxFlags): Read {
  const { configMap: key = usualConfigMap, defaultBackend } = flags;
  const from = new Map<string, ConfigMap | undefined>();
  const find = (wanted: string) => {
    const map = context.input.store.get<ConfigMap>('configmaps', wanted);
    from.set(wanted, map);
    return map?.data ?? undefined;
  };
  const data = find(key);
  const unread = whyUnread(context, flags);
  const { value, findings } = capture(context, () => {
    if (unread !== undefined) context.findings.push(diagnostic('FW5517', { message: unread }));
    const reading = readNginxConfig(data ?? {}, find);
    const map = from.get(key);
    for (const { code, key: name, message } of reading.problems) context.report(code, map!, `data["${name}"]`, message);
    const shut = unread !== undefined && ({ unread: true } as const);
    return { ...reading.config, ...(defaultBackend !== undefined && { defaultBackend }), ...shut };
  });
  return { flags, from, unread, config: value, findings };
}

/**
 * It may hold what keeps requests out of all locations. One that nobody has named and that is not there says nothing;
 * one that the operator relies on, or that nobody can read, may say anything.
 */
function whyUnread({ input: { store } }: Context, flags: IngressNginxFlags): string | undefined {
  const { configMap: key = usualConfigMap } = flags;
  if (flags.config || store.get('configmaps', key)) return undefined;
  if (store.isUnanswered?.('configmaps', key)) return `the Kubernetes API does not say what the ConfigMap ${key} holds`;
  return flags.configMap === undefined ? undefined : `the ConfigMap ${key}, which --configmap names, does not exist`;
}

/** A port that both of the usual names have goes by the first. */
function carry(context: Context, { tcpServices, udpServices }: IngressNginxFlags): CarriedStreams {
  const all = [
    ...carryMaps(context, tcpServices === undefined ? usualTcpMaps : [tcpServices], 'TCP'),
    ...carryMaps(context, udpServices === undefined ? usualUdpMaps : [udpServices], 'UDP'),
  ];
  if (all.length === 0) return noStreams;
  const streams = new Map(
    all
      .flatMap((each) => each.streams)
      .reverse()
      .map((stream) => [stream.id, stream]),
  );
  const backends = new Map(all.flatMap((each) => each.backends).map((backend) => [backend.id, backend]));
  return { streams: [...streams.values()].reverse(), backends: [...backends.values()] };
}

function carryMaps(context: Context, keys: readonly string[], protocol: 'TCP' | 'UDP'): CarriedStreams[] {
  const { store, addresses } = context.input;
  return keys.flatMap((key) => {
    const map = store.get<ConfigMap>('configmaps', key);
    return map ? [carryStreams(context, map, protocol, addresses.ingress())] : [];
  });
}
