/** Endpoints of a Service port: shape shared by the data plane, L4 forwarding and insight. */

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Takes new traffic. */
  readonly ready: boolean;
  /** Would answer, though perhaps terminating. */
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly hostname?: string;
  readonly zone?: string;
  readonly nodeName?: string;
  /** `namespace/name` of the Pod, when it is one. */
  readonly pod?: string;
}
