/** Whether each worker process has a socket of its own on the same port, between which the kernel shares the load. */
import cluster from 'node:cluster';

/** Node has `reusePort` for UDP and TCP since 22.12 and 23.1. */
export function canReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

/**
 * Options of a bind in this process. Alone it wants the port for itself; as a worker it shares it, by a socket of its
 * own where Node and the system can, else by the one socket of the primary.
 */
export function sharing(port: number): { readonly reusePort?: true; readonly exclusive?: true } {
  const own = cluster.isWorker && port !== 0 && process.platform === 'linux' && canReusePort(process.versions.node);
  return own ? { reusePort: true, exclusive: true } : {};
}
