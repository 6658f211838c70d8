/** Where requests and connections go. Part of the plan: see plan.ts. */
import type { BackendPolicy } from './backend-policy.ts';
import type { BackendId, Provenance } from './plan.ts';
import type { Certificate, TlsVersion } from './tls.ts';

export interface Backend {
  readonly id: BackendId;
  readonly namespace: string;
  /** Name of the Service, or of the XBackend where there is `external`. */
  readonly service: string;
  /** Port of the Service (not of the Pods), or of what `external` names. */
  readonly port: number;
  /** Outside of the cluster: endpoints are the addresses that the name has in DNS. */
  readonly external?: { readonly hostname: string };
  /** What the Pods speak: from the port's appProtocol and the kind of route. `tcp` and `udp` are backends of stream routes. */
  readonly protocol: 'http1' | 'https' | 'h2c' | 'h2' | 'tcp' | 'udp';
  /** How TLS is spoken; with protocols `https`, `h2` and `tcp` only. Streams that are passed through are sent as they came. */
  readonly tls?: BackendTls;
  /** With `https`: TLS is spoken for listeners that speak it themselves, and plain HTTP for others (ingress-nginx `AUTO_HTTP`). */
  readonly tlsAsListener?: true;
  /** Connections begin with a PROXY header that says whose they are, before TLS. Not with `udp`. */
  readonly proxyProtocol?: 'v1' | 'v2';
  /** Absent: round robin over ready endpoints, with the limits of the data plane. */
  readonly policy?: BackendPolicy;
  readonly source: Provenance;
}

/** TLS towards the Pods of a backend. */
export interface BackendTls {
  /** Sent as SNI; empty: none is sent. The certificate must be for it, unless there are `subjectAltNames` or `verifyName`. */
  readonly serverName: string;
  /** The certificate must be for this in the place of the server name. */
  readonly verifyName?: string;
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** OpenSSL names with colons between them. */
  readonly ciphers?: string;
  /** Certificates between the backend's and that of an authority, at most. */
  readonly depth?: number;
  /** False encrypts and trusts whatever certificate is shown: nothing said which one to trust. */
  readonly verify: boolean;
  /** PEM bundle of the authorities trusted, or those of the machine. */
  readonly ca: 'system' | string;
  /** The certificate must have one of these; the server name is not compared then. */
  readonly subjectAltNames: readonly SubjectAltName[];
  /** Shown in place of what the listener has for backends. */
  readonly clientCertificate?: Certificate;
  /** What asked for it: a BackendTLSPolicy, or the Service with its appProtocol. */
  readonly source: Provenance;
}

/** `dns` may be a wildcard, which stands for one label; `uri` is compared as it is (SPIFFE). */
export interface SubjectAltName {
  readonly type: 'dns' | 'uri';
  readonly value: string;
}
