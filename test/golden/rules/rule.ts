/** Rules of precedence, conflict, merging, attachment and failure that the field documentation of the Gateway API states. */

export interface Rule {
  /** The golden case of this name shows it, unless `shown` says otherwise. */
  readonly id: string;
  /** What the documentation says, in short. */
  readonly says: string;
  readonly shown?: Shown;
}

export type Shown =
  /** A golden case that shows several. */
  | { readonly golden: string }
  /** What only a data plane or several steps in time can show: a test file, and the title of the test in it. */
  | { readonly file: string; readonly title: string }
  /** The API server refuses what would break it: the message of the validation in the CRD. */
  | { readonly refused: string }
  /** Why it is not kept. */
  | { readonly unkept: string };

/** By kind and field as the CRD has them, `Gateway spec.listeners.tls`; lists are not numbered. */
export type Rules = Readonly<Record<string, readonly Rule[]>>;

export const golden = (name: string): Shown => ({ golden: name });
export const proven = (file: string, title: string): Shown => ({ file, title });
export const refused = (message: string): Shown => ({ refused: message });
export const unkept = (reason: string): Shown => ({ unkept: reason });
