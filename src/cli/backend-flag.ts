/** `--backend ns/svc[:port]=host:port`. */
import type { BackendOverride } from '../local/cluster.ts';
import { CommandError } from './output.ts';

const form = /^(?:([a-z0-9-]+)\/)?([a-z0-9-]+)(?::([a-z0-9-]+))?=(\[[0-9a-f:]+\]|[^:=\s]+):(\d{1,5})$/;

/** The namespace is `default` when left out; the port is a number or a name of the Service's ports, all of them when left out. */
export function parseBackend(text: string): BackendOverride {
  const match = form.exec(text);
  const targetPort = Number(match?.[5]);
  if (!match || targetPort < 1 || targetPort > 65535)
    throw new CommandError(`--backend takes NAMESPACE/SERVICE[:PORT]=HOST:PORT, not ${text}`, 2);
  const [, namespace = 'default', service, port, host] = match;
  const number = Number(port);
  return {
    namespace,
    service: service!,
    ...(port !== undefined && { port: Number.isNaN(number) ? port : number }),
    host: host === 'localhost' ? '127.0.0.1' : host!,
    targetPort,
  };
}
