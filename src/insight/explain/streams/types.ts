/** The answer of `fairway explain` for a connection or datagrams that are not HTTP, as data. */
import type { Diagnostic } from '../../../base/diagnostics/index.ts';
import type { StreamFlag } from '../../../proxy/proxy.ts';
import type { StreamRoute } from '../../../routing/plan/plan.ts';
import type { Endpoint } from '../../../service/endpoints.ts';
import type { BackendChoice, NotInForce, Rejected, Step } from '../types.ts';

export interface StreamRequest {
  readonly scheme: 'tcp' | 'tls' | 'udp';
  /** Lower case; an address without brackets. For `tls`, a name is the server name of the ClientHello. */
  readonly hostname: string;
  readonly port: number;
}

export interface StreamExplanation {
  readonly request: StreamRequest;
  readonly source: string;
  /** Whether it ends at a Pod, or at an HTTPS listener. */
  readonly ok: boolean;
  /** Why it is refused, with the flag that the access log would have; null when nobody is there to refuse it. */
  readonly refused: { readonly flag: StreamFlag; readonly reason: string } | null;
  readonly matched: MatchedStream | null;
  /** The backend with the largest share. */
  readonly backend: BackendChoice | null;
  readonly backends: readonly BackendChoice[];
  readonly endpoints: readonly Endpoint[];
  readonly steps: readonly Step[];
  readonly rejected: readonly Rejected[];
  /** Routes that ask for the name or the listener and are not in force. */
  readonly notInForce: readonly NotInForce[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface MatchedStream {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly listener: string;
  readonly serverName: string;
  readonly tls: StreamRoute['tls'];
}
