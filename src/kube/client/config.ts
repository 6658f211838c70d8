/** How one API server is reached: what a kubeconfig context, a Pod's service account or a bare URL come down to. */

/** Text, or a file that is read when needed and again when it may have changed. */
export type Material = { readonly text: string } | { readonly file: string };

export interface TlsConfig {
  /** PEM bundle that the server's certificate is verified with. Default: the authorities that Node trusts. */
  readonly ca?: Material;
  readonly certificate?: { readonly cert: Material; readonly key: Material };
  /** Name that the server's certificate must have, when it is not the host of the URL. */
  readonly serverName?: string;
  /** The server's certificate is not verified. */
  readonly insecure: boolean;
}

/** A program that prints credentials (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion: 'client.authentication.k8s.io/v1' | 'client.authentication.k8s.io/v1beta1';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always';
  readonly provideClusterInfo: boolean;
  readonly installHint?: string;
}

/** `user.as` and its sisters: whom the server shall take us for. */
export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface UserConfig {
  readonly token?: Material;
  readonly basic?: { readonly username: string; readonly password: string };
  readonly exec?: ExecConfig;
  readonly impersonate?: Impersonation;
}

export interface ClientConfig {
  /** URL, with a path when the API does not begin at `/`. */
  readonly server: string;
  /** Namespace of requests that name none. */
  readonly namespace: string;
  readonly tls: TlsConfig;
  readonly user: UserConfig;
  /** Where this came from, for people: a file and context, `in-cluster`, or the URL. */
  readonly source: string;
}

/** A fault in a configuration with its place, as far as there is one. */
export interface ConfigError {
  /** Whole sentence with the place in it. */
  readonly message: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** `users[0].user.exec.command`. */
  readonly field?: string;
}

/** A server that wants no credentials, such as that of `fairway up` or `kubectl proxy`. */
export function plainConfig(server: string): ClientConfig {
  return { server, namespace: 'default', tls: { insecure: false }, user: {}, source: server };
}
