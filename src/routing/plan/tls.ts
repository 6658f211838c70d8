/** How listeners speak TLS, and with which certificates. Part of the plan: see plan.ts. */
import type { Provenance } from './plan.ts';

export type CertificateId = string;

export interface ListenerTls {
  readonly certificates: readonly SniEntry[];
  /** Absent: clients are not asked for certificates. */
  readonly clientValidation?: ClientValidation;
  /**
   * Names of which each has certificates and routes of its own: exact, `*.example.com` (any depth) or `*`. A request
   * whose host belongs to another one than the server name of its connection is misdirected (421).
   */
  readonly authorities?: readonly string[];
  /** `TLSv1.2`, `TLSv1.3`. Absent: those of the data plane. */
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** OpenSSL names with colons between them. Absent: those of the data plane. */
  readonly ciphers?: string;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface SniEntry {
  /** Exact name, `*.example.com`, or `*` for names not listed and clients without SNI. */
  readonly serverName: string;
  readonly certificate: CertificateId;
  /** The star stands for one label and more, as in hostnames of the Gateway API, instead of one. The nearest star wins. */
  readonly anyDepth?: true;
  /** For these names alone, in place of the listener's. */
  readonly clientValidation?: ClientValidation;
}

/** Gateway spec.tls.frontend: how clients prove who they are. */
export interface ClientValidation {
  /** PEM bundle of the authorities that may have signed clients' certificates. */
  readonly ca: string;
  /**
   * `require` refuses the handshake without a valid certificate; `allow-insecure` asks for one and takes everybody.
   * `ask` is the same, and a `client-certificate` filter of the routes decides.
   */
  readonly mode: 'require' | 'allow-insecure' | 'ask';
  /** What `client-certificate` filters name it by: `ca-secret/shop/partners`. With mode `ask`. */
  readonly id?: string;
  /** PEM bundle of revocation lists. */
  readonly crl?: string;
  /** Certificates between a client's and that of an authority, at most. Absent: the library's. */
  readonly depth?: number;
}

export interface Certificate {
  readonly id: CertificateId;
  /** PEM: leaf first. */
  readonly chain: string;
  /** PEM. Never printed; `redactPlan` blanks it. */
  readonly key: string;
  readonly source: Provenance;
}
