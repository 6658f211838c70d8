/** What goes wrong with an ACME server: its own problem documents (RFC 7807, RFC 8555 section 6.7), and all else. */

/** One problem about one of the names of an order. */
export interface Subproblem {
  readonly type: string;
  readonly detail: string;
  readonly name: string;
}

export interface ProblemDetails {
  /** Without `urn:ietf:params:acme:error:`; '' when the server gave none. */
  readonly type: string;
  readonly detail: string;
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  /** When the server wants to be asked again, in milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly subproblems?: readonly Subproblem[];
  /** What was asked for is over: asking again for the same gives the same. */
  readonly isFinal?: true;
}

/** `message` is for people. */
export class AcmeError extends Error {
  readonly problem: ProblemDetails;

  constructor(problem: ProblemDetails) {
    super(messageOf(problem));
    this.problem = problem;
  }
}

const prefix = 'urn:ietf:params:acme:error:';
/** Longest text of a server that is shown. */
const maxDetail = 500;

function messageOf({ type, detail, status, subproblems = [] }: ProblemDetails): string {
  const parts = subproblems.map((one) => `${one.name}: ${one.detail || one.type}`);
  const about = parts.length > 0 ? ` (${parts.slice(0, 5).join('; ')})` : '';
  const what = type || (status > 0 ? `status ${status}` : '');
  return `${[what, detail].filter((part) => part !== '').join(': ')}${about}`;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/[^\P{Cc}\t]/gu, ' ').slice(0, maxDetail) : '';

const typeOf = (value: unknown): string => {
  const type = shown(value);
  return type.startsWith(prefix) ? type.slice(prefix.length) : type === 'about:blank' ? '' : type;
};

/** `document`: what the server sent, whatever it is. */
export function problemOf(document: unknown, status: number, retryAfterMs?: number): ProblemDetails {
  const { type, detail, subproblems } = isObject(document) ? document : {};
  const parts = Array.isArray(subproblems) ? subproblems.filter(isObject).slice(0, 100) : [];
  return {
    type: typeOf(type),
    detail: shown(detail),
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(parts.length > 0 && {
      subproblems: parts.map((part) => ({
        type: typeOf(part['type']),
        detail: shown(part['detail']),
        name: isObject(part['identifier']) ? shown(part['identifier']['value']) : '',
      })),
    }),
  };
}

export function isProblem(error: unknown, ...types: readonly string[]): error is AcmeError {
  return error instanceof AcmeError && types.includes(error.problem.type);
}

/** A fault in what the server says, which is no problem document. */
export function malformed(detail: string): AcmeError {
  return new AcmeError({ type: '', detail: `the server ${detail}`, status: 0 });
}
