/**
 * Text that is made of a request, and conditions on it: what redirects to computed places, header values with variables
 * and `if` of the ingress-nginx dialect come down to. Part of the plan: see plan.ts. Nothing here is ever run as text:
 * a value names one fact of the request, and a pattern is RE2.
 */
import type { RequestFact } from './filters.ts';

/** Put together from left to right. What a request does not have is the empty text. */
export type Template = readonly (string | RequestValue)[];

/**
 * Names of headers in lower case; the first field of that name counts, of cookies and query parameters likewise, whose
 * names are compared without regard to case.
 */
export type RequestValue =
  | { readonly of: 'fact'; readonly fact: RequestFact }
  | { readonly of: 'header'; readonly name: string }
  | { readonly of: 'cookie'; readonly name: string }
  /** As it stands in the query, not decoded. */
  | { readonly of: 'query'; readonly name: string }
  /** Of the backend's response; only in `response-values`. */
  | { readonly of: 'response-header'; readonly name: string }
  /** What a group of the route's path pattern has matched: 0 for all of it. */
  | {
      readonly of: 'capture';
      readonly group: number;
      /** Of this pattern instead; nothing where it is not found. */
      readonly within?: CapturePattern;
    };

/** RE2, found in a text: absent, the path as the route compares it. */
export interface CapturePattern {
  readonly pattern: string;
  readonly ignoreCase?: true;
  readonly text?: Template;
}

/** All that it says must be so. */
export interface Condition {
  readonly value: Template;
  /**
   * `equals`: the same text. `matches`: RE2 found anywhere in it. `present`: neither empty nor `0` (nginx `if ($x)`).
   * `under`: the text is one of these paths or goes on below it, by its elements.
   */
  readonly test:
    | { readonly type: 'equals'; readonly text: string }
    | { readonly type: 'matches'; readonly pattern: string; readonly ignoreCase?: true }
    | { readonly type: 'present' }
    | { readonly type: 'under'; readonly paths: readonly string[] };
  /** The opposite. */
  readonly not?: true;
}
