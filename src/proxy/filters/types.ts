/** What filters work on, between matching and sending. Everything happens within one call: copy what must last. */
import type { Fields } from '../http1/fields.ts';

export interface OutgoingRequest {
  readonly fields: Fields;
  /** Value of Host. */
  host: string;
  /** Path without query. */
  path: string;
  /** Without its `?`. */
  query: string;
  /** Characters of the path that the route's prefix covered. */
  prefixLength: number | undefined;
  /** A filter has changed path or query: the target is written anew instead of byte for byte. */
  targetChanged: boolean;
}

export type RequestFilter = (request: OutgoingRequest) => void;
export type ResponseFilter = (fields: Fields) => void;

/** What a filter does to either side; absent where it does nothing. */
export interface CompiledFilter {
  readonly request?: RequestFilter;
  readonly response?: ResponseFilter;
}

/** Told of what a filter asks for and does not get. */
export type FilterComplaint = (message: string) => void;
