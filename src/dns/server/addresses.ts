/** Addresses as Corefiles have them: `:8080`, `localhost:9153`, `[::1]:53`. */

export interface HostPort {
  /** '' for every address of the machine. */
  readonly host: string;
  readonly port: number;
}

/** Undefined when there is no port or it is none. */
export function parseHostPort(text: string): HostPort | undefined {
  const found = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  return found && port <= 65_535 ? { host: found[1] ?? found[2] ?? '', port } : undefined;
}

export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What to bind for a host: everywhere means both families through one socket. */
export function listenAddressOf(host: string): { address: string; everywhere?: boolean } {
  return host === '' ? { address: '::', everywhere: true } : { address: host };
}
