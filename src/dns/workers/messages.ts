/** What the processes of one server say to each other. All of it survives JSON. */
import type { PageAnswer } from '../plugins/setup.ts';
import type { HostPort } from '../server/addresses.ts';
import type { DnsDoor } from '../server/listeners.ts';

/** Addresses (`:9153`) and the paths of their pages. */
export type PageList = Readonly<Record<string, readonly string[]>>;

export type FromWorker =
  /** It answers queries. */
  | { readonly kind: 'started'; readonly doors: readonly DnsDoor[] }
  /** It cannot start, or must not go on. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The pages that it has now; answered with `opened`. */
  | { readonly kind: 'pages'; readonly id: number; readonly pages: PageList }
  | { readonly kind: 'page'; readonly id: number; readonly answer: PageAnswer };

export type ToWorker =
  | { readonly kind: 'opened'; readonly id: number; readonly error?: string; readonly bound: Record<string, HostPort> }
  /** `search`: what stands behind the `?`. */
  | {
      readonly kind: 'page';
      readonly id: number;
      readonly address: string;
      readonly path: string;
      readonly search: string;
    }
  /** It is the one of all workers that speaks for them from now on. */
  | { readonly kind: 'speak' }
  | { readonly kind: 'stop' };
