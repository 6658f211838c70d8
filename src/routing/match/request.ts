/** What of a request the matcher looks at. */

/** Value of a header by its lower-case name; repeated headers joined with `,`. */
export type HeaderLookup = (lowerCaseName: string) => string | undefined;

export interface MatchRequest {
  /** Host header or `:authority` as received, with or without port. */
  readonly host: string;
  /** Request path as received, without the query. */
  readonly path: string;
  /** Raw query without its `?`; '' when there is none. */
  readonly query: string;
  readonly method: string;
  /** It came over HTTP/2 with a content type of gRPC. Absent: no. */
  readonly grpc?: boolean;
  readonly headers: HeaderLookup;
}
