/** A zone of a server block at one listener: what a query that comes there is answered by. */
import type { Query } from '../wire/query.ts';
import type { Client, Exchange, Handler, Plugin } from './plugin.ts';

export interface Scope {
  /** `dns://:53`, as metrics and logs name a server. */
  readonly server: string;
  /** The zone of the block's key, canonical. */
  readonly zone: string;
  /** Name of the view; '' without one. */
  readonly view: string;
  readonly chain: Handler;
  readonly plugins: readonly Plugin[];
  readonly observers: readonly ((exchange: Exchange) => void)[];
  /** Set when answers may be repeated without the chain (repeat.ts): who counts the repetitions. */
  readonly repeated?: readonly NonNullable<Plugin['repeated']>[];
  /** Plugins that publish values; empty unless the block has the `metadata` plugin. */
  readonly publishers: readonly NonNullable<Plugin['metadata']>[];
  /** The query belongs to this scope (the `view` plugin). */
  readonly accepts?: (query: Query, client: Client) => boolean;
  /** Largest response over UDP, bytes. */
  readonly maxUdpSize?: number;
}
