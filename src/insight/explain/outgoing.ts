/** The request that a backend gets, for people: what is not as the client has sent it. */
import type { ExplainRequest, Outgoing } from './types.ts';

/** Every backend of ingress-nginx gets these, made of the connection. */
const usual: ReadonlySet<string> = new Set([
  ...['x-request-id', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
  ...['x-forwarded-scheme', 'x-scheme', 'x-original-forwarded-for'],
]);

export function outgoingLines(
  { target, host, headers, removed }: Outgoing,
  asked: ExplainRequest,
  sent: string,
): string[] {
  const isSame = target === `${asked.path}${asked.query === '' ? '' : `?${asked.query}`}`;
  const others = headers.filter(([name]) => !usual.has(name.toLowerCase()));
  return [
    ...(isSame ? [] : [`gets ${asked.method} ${target}`]),
    ...(host === sent ? [] : [`gets Host: ${host}`]),
    ...others.map(([name, value]) => `gets ${name}: ${value}`),
    ...removed.filter((name) => !usual.has(name.toLowerCase())).map((name) => `does not get ${name}`),
  ];
}
