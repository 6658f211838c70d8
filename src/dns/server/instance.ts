/** A Corefile made ready to serve: blocks compiled, grouped by the listeners that they share. */
import { dirname, resolve } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { defaultPorts, type Transport } from '../corefile/keys.ts';
import type { Corefile, CorefileError } from '../corefile/types.ts';
import type { Client, Plugin, QueryContext } from '../plugins/plugin.ts';
import { defaultRefusedReporter, type RefusedReporter } from '../plugins/prometheus/requests.ts';
import type { Scope } from '../plugins/scope.ts';
import type { BlockSettings, ProcessWishes, Shared } from '../plugins/setup.ts';
import type { Query } from '../wire/query.ts';
import { formatHostPort } from './addresses.ts';
import { type BlockZone, type CompiledBlock, compileBlock } from './block.ts';
import type { HttpsLimits } from './https.ts';
import type { RepeatedAnswers } from './repeats.ts';
import { createResponder, type PacketHandler, type Route } from './responder.ts';
import { createRoute } from './router.ts';

export interface ListenerPlan {
  /** `dns://:53`: identity over reloads, and the label `server` of metrics. */
  readonly name: string;
  readonly transport: Transport;
  /** '' for every address. */
  readonly host: string;
  readonly port: number;
  readonly handle: PacketHandler;
  /** The short way for answers that are repeated over UDP. */
  readonly repeats?: RepeatedAnswers;
  /** Where its queries belong, for traces. */
  readonly route: Route;
  readonly limits: HttpsLimits;
  readonly tls: BlockSettings['tls'];
  /** Hears the HTTP status of each response of an `https://` listener. */
  countStatus(status: number): void;
}

export interface Instance {
  readonly listeners: readonly ListenerPlan[];
  readonly plugins: readonly Plugin[];
  readonly wishes: ProcessWishes;
  /** Queries that wait for an answer from elsewhere. */
  inFlight(): number;
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly shared: Shared;
  /** Port of `dns://` zones without one. */
  readonly defaultPort: number;
}

/** For the answers that a listener keeps to repeat them: room for some 30,000. */
const repeatedAnswerBytes = 4 * 1024 * 1024;

interface Placed {
  readonly zone: BlockZone;
  readonly block: CompiledBlock;
}

/** Nobody publishes values in a block without the `metadata` plugin. */
function publishersOf({ settings, plugins }: CompiledBlock): Scope['publishers'] {
  const { collectMetadata } = settings;
  if (!collectMetadata) return [];
  return plugins.flatMap((plugin) => {
    const publish: Scope['publishers'][number] = (context, set) => {
      if (collectMetadata(context.query.key)) plugin.metadata!(context, set);
    };
    return plugin.metadata ? [publish] : [];
  });
}

/** Values that the plugins of a block publish, for those who decide before there is a context: collected when asked. */
function metadataReader(publishers: Scope['publishers'], query: Query, client: Client) {
  let values: Map<string, () => string> | undefined;
  return (label: string): string | undefined => {
    if (!values) {
      values = new Map();
      const set = (key: string, value: () => string) => values!.set(key, value);
      const context: QueryContext = { query, client, resolve: () => Promise.resolve(undefined) };
      for (const publish of publishers) publish(context, set);
    }
    return values.get(label)?.();
  };
}

/** Who counts repetitions (repeat.ts); undefined when some plugin of the block must be asked each time. */
function repeatedIn({ settings, plugins }: CompiledBlock): Scope['repeated'] {
  const needed = plugins.some(
    ({ handle, repeats, observe, repeated }) => (handle && !repeats) || (observe && !repeated),
  );
  if (needed || settings.collectMetadata || settings.view) return undefined;
  return plugins.flatMap((plugin) => (plugin.repeated ? [plugin.repeated.bind(plugin)] : []));
}

function scopeOf(name: string, { zone, block }: Placed): Scope {
  const { settings, plugins, chain } = block;
  const { view } = settings;
  const publishers = publishersOf(block);
  const repeated = repeatedIn(block);
  return {
    ...{ server: name, zone: zone.zone, view: view?.name ?? '', chain, plugins },
    observers: plugins.flatMap((plugin) => (plugin.observe ? [plugin.observe.bind(plugin)] : [])),
    publishers,
    ...(repeated && { repeated }),
    ...(view && {
      accepts: (query, client) => view.accepts(query, client, metadataReader(publishers, query, client)),
    }),
    ...(settings.maxUdpSize !== undefined && { maxUdpSize: settings.maxUdpSize }),
  };
}

/** The same zone twice at one place cannot be told apart, unless views do. */
function findOverlap(placed: ReadonlyMap<string, readonly Placed[]>): CorefileError | undefined {
  const everywhere = new Map<string, string>();
  for (const [name, members] of placed) {
    const seen = new Set<string>();
    for (const { zone, block } of members) {
      if (block.settings.view) continue;
      const text = `${name.slice(0, name.indexOf('://') + 3)}${zone.zone}${name.slice(name.lastIndexOf(':'))}`;
      const position = block.source.position;
      if (seen.has(zone.zone)) return { message: `cannot serve ${text} - it is already defined`, position };
      seen.add(zone.zone);
      const host = name.slice(name.indexOf('://') + 3, name.lastIndexOf(':'));
      const other = everywhere.get(text);
      if (other !== undefined && (other === '' || host === ''))
        return { message: `cannot serve ${text} - it is served on every address and on a single one`, position };
      everywhere.set(text, host);
    }
  }
  return undefined;
}

export function createInstance(corefile: Corefile, options: InstanceOptions): Result<Instance, CorefileError> {
  const { shared } = options;
  const wishes: ProcessWishes = { pages: new Map(), lameduckMs: 0 };
  const portOf = ({ transport, port }: BlockZone) =>
    port ?? (transport === 'dns' ? options.defaultPort : defaultPorts[transport]);
  const nameOf = (zone: BlockZone, host: string) =>
    `${zone.transport}://${formatHostPort({ host, port: portOf(zone) })}`;
  const blocks: CompiledBlock[] = [];
  const closeAll = async () => {
    await Promise.all(blocks.flatMap(({ plugins }) => plugins.map((plugin) => plugin.close?.())));
  };

  for (const source of corefile.blocks) {
    const folder = dirname(resolve(source.position.file));
    const block = compileBlock(source, { shared, wishes, folder, serverName: nameOf });
    if (!block.ok) {
      void closeAll();
      return block;
    }
    blocks.push(block.value);
    const { zones, settings } = block.value;
    if (zones.some(({ transport }) => transport === 'tls') && !settings.tls) {
      void closeAll();
      return err({ message: "a tls:// zone needs the plugin 'tls' with a certificate", position: source.position });
    }
    if (zones.some(({ transport }) => transport === 'https') && !settings.tls)
      shared.log('warning', "https:// without the plugin 'tls' is plain HTTP, for a proxy in front that ends TLS");
  }

  const placed = new Map<string, Placed[]>();
  const places = new Map<string, { zone: BlockZone; host: string }>();
  for (const block of blocks) {
    for (const zone of block.zones) {
      for (const host of block.settings.bind ?? ['']) {
        const name = nameOf(zone, host);
        places.set(name, { zone, host });
        placed.set(name, [...(placed.get(name) ?? []), { zone, block }]);
      }
    }
  }
  const overlap = findOverlap(placed);
  if (overlap) {
    void closeAll();
    return err(overlap);
  }

  let inFlight = 0;
  const statuses = shared.metrics.counter(
    'coredns_dns_https_responses_total',
    'Counter of DoH responses per server and http status code.',
    ['server', 'status'],
  );
  const report: RefusedReporter = defaultRefusedReporter(shared.metrics);
  const listeners = [...placed].map(([name, members]): ListenerPlan => {
    const { zone, host } = places.get(name)!;
    const settings = members.map(({ block }) => block.settings);
    const scopes = members.map((member) => scopeOf(name, member));
    const route = createRoute(scopes);
    // Where clients are told apart by more than what they ask, no answer is everybody's.
    const repeatedBytes = scopes.some(({ accepts }) => accepts) ? 0 : repeatedAnswerBytes;
    const responder = createResponder({
      route,
      anyClass: () => settings.some(({ anyClass }) => anyClass),
      recursionAvailable: false,
      repeatedBytes,
      onError(error) {
        shared.metrics.counter('coredns_panics_total', 'A metrics that counts the number of panics.').with().inc();
        const stack = error instanceof Error && settings.some(({ stacktrace }) => stacktrace) ? error.stack : undefined;
        shared.log('error', `Recovered from an exception in server: "${name}" ${stack ?? String(error)}`);
      },
      onRefused: (query, client, response, startedAt) => report(name, query, client, response, startedAt),
    });
    const handle: PacketHandler = (packet, client) => {
      const sent = responder.handle(packet, client);
      if (!(sent instanceof Promise)) return sent;
      inFlight++;
      return sent.finally(() => inFlight--);
    };
    return {
      ...(responder.repeats && { repeats: responder.repeats }),
      ...{ name, host, handle, route, transport: zone.transport, port: portOf(zone) },
      limits: Object.assign({}, ...settings.map(({ limits }) => limits)) as HttpsLimits,
      tls: settings.find(({ tls }) => tls)?.tls,
      countStatus: (status) => statuses.with(name, String(status)).inc(),
    };
  });

  return ok({
    listeners,
    wishes,
    plugins: blocks.flatMap(({ plugins }) => plugins),
    inFlight: () => inFlight,
    close: closeAll,
  });
}
