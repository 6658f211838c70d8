/** What the setup of a plugin gets: its directives, the server block around them, and what all blocks share. */
import type { Clock } from '../../base/clock.ts';
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Directive } from '../corefile/types.ts';
import type { HttpsLimits } from '../server/https.ts';
import type { TlsIdentity } from '../server/secure.ts';
import type { WasteLedger } from '../waste/ledger.ts';
import type { Query } from '../wire/query.ts';
import type { Client, MaybePromise, Plugin } from './plugin.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'fatal';

/** Writes one line, in CoreDNS' form: `[INFO] plugin/reload: text`. */
export type LogLine = (level: LogLevel, text: string) => void;

/** Where the kubernetes plugin gets its objects. */
export interface ObjectSource {
  readonly store: StoreReader;
  /** All objects that were there at the start have been read. */
  synced(): boolean;
  /** Ends what was opened for this plugin alone. */
  close(): void;
}

/** How the API server is reached, as the Corefile says. */
export interface ApiAccess {
  readonly endpoint?: string;
  readonly kubeconfig?: { readonly file: string; readonly context?: string };
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Whether Pods are needed (`pods verified`), and EndpointSlices (not with `noendpoints`). */
  readonly pods?: boolean;
  readonly endpoints?: boolean;
  /** ServiceImports, and the EndpointSlices of Services of other clusters (`multicluster`). */
  readonly serviceImports?: boolean;
  /** This ConfigMap, `namespace/name`, and nothing else (`acme`). */
  readonly configMap?: string;
  /** The names of the Pods behind endpoints (`endpoint_pod_names`). */
  readonly podNames?: boolean;
  /** Objects of these namespaces only; default all. */
  readonly namespaces?: readonly string[];
  /** Label selectors as text, applied by the server: of Services, EndpointSlices and Pods, and of Namespaces. */
  readonly labels?: string;
  readonly namespaceLabels?: string;
  /** Bounds on our requests: a second, at once after a rest, and under way. 0 or absent: none. */
  readonly qps?: number;
  readonly burst?: number;
  readonly maxInFlight?: number;
}

export interface PageAnswer {
  readonly status: number;
  readonly text: string;
  /** Content type; default plain text. */
  readonly type?: string;
}

/** A page of an HTTP door (`/health`). `search`: what stands behind the `?`. */
export type Page = (search: URLSearchParams) => MaybePromise<PageAnswer>;

/** Names where a Corefile's `:8080` and zones' ports are really bound; for sandboxes and tests. */
export type MapAddress = (wanted: { host: string; port: number }) => { host: string; port: number };

/** What outlives a reload and is shared by all server blocks. */
export interface Shared {
  readonly metrics: MetricsRegistry;
  readonly clock: Clock;
  readonly log: LogLine;
  /** Opens the objects of a cluster; the error says what is missing. */
  openObjects(access: ApiAccess): ObjectSource | { readonly error: string };
  /** Ends the process because it cannot serve as configured, with the reason (the `loop` plugin). */
  fatal(reason: string): void;
  /** Reads the Corefile again, after which this instance is closed; the error stays in force until the next change. */
  reload(): Promise<{ readonly error?: string; readonly changed: boolean }>;
  /** SHA-512 of all files of the Corefile as it is in force. */
  configurationHash(): string;
  /** Addresses at which this process answers DNS now. */
  ownDoors(): readonly { readonly name: string; readonly address: string; readonly port: number }[];
  /** The plugins of all blocks that are not ready. */
  notReady(): string[];
  /** True from the moment the process was told to stop. */
  stopping(): boolean;
  /** Whether this process tells others what all that share its addresses know (NOTIFY). Absent: it is alone, yes. */
  speaks?(): boolean;
  readonly mapAddress: MapAddress;
  /** Where this process serves the pages of an address (`:8080`); undefined when it does not. */
  pageDoor?(address: string): { readonly host: string; readonly port: number } | undefined;
  /** Pages beside `/metrics`, by path. */
  readonly pages?: ReadonlyMap<string, Page>;
  /** Where search-path waste is counted; absent when it is not. */
  readonly waste?: WasteLedger;
}

/** What plugins decide for a whole server block. */
export interface BlockSettings {
  /** Addresses and interfaces to listen on; default: everywhere. */
  bind?: readonly string[];
  /** Folder of relative paths. */
  root: string;
  maxUdpSize?: number;
  limits: HttpsLimits;
  debug: boolean;
  stacktrace: boolean;
  anyClass: boolean;
  /** Whether values are published about a query; `key` as `Query.key`. */
  collectMetadata?: (key: string) => boolean;
  /** `metadata`: reads what the block's plugins publish about the query; nothing without the `metadata` plugin. */
  view?: {
    readonly name: string;
    readonly accepts: (query: Query, client: Client, metadata: (label: string) => string | undefined) => boolean;
  };
  /** The certificate of `tls://` and `https://` zones. */
  tls?: TlsIdentity;
}

/** What a block wants from the whole process. */
export interface ProcessWishes {
  /** Pages by address (`:8080`) and path. */
  readonly pages: Map<string, Map<string, Page>>;
  /** Milliseconds to go on answering after the process was told to stop. */
  lameduckMs: number;
  /** How often the Corefile is looked at, once for all blocks: as the last of those says that have `reload`. */
  reload?: { readonly intervalMs: number; readonly jitterMs: number };
}

export interface SetupContext {
  /** Zones of the block's keys, canonical: default zones of plugins. */
  readonly zones: readonly string[];
  /** `dns://:53`: the first server of the block, as labels of metrics have it. */
  readonly server: string;
  readonly settings: BlockSettings;
  readonly wishes: ProcessWishes;
  readonly shared: Shared;
  /** Writes a line in the plugin's name. */
  readonly log: LogLine;
  /** Whether the block names a plugin, wherever that stands. */
  has(name: string): boolean;
  /** A plugin of this block, once all are set up. */
  plugin(name: string): Plugin | undefined;
  /** Names of all plugins of this block, once all are set up. */
  pluginNames(): readonly string[];
  /** The path, relative to the block's root. */
  path(text: string): string;
}

/**
 * Reads the directives of one name and makes the plugin. Refuses bad ones with `refuse` (corefile/values.ts), which
 * `compileBlock` turns into a value. Nothing is bound or started before `Plugin.start`.
 */
export type Setup = (directives: readonly Directive[], context: SetupContext) => Plugin | undefined;
