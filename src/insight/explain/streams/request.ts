/** `tcp://ADDRESS:PORT`, `udp://ADDRESS:PORT`, `tls://NAME[:PORT]` to what is explained. */
import { err, ok, type Result } from '../../../base/result.ts';
import type { StreamRequest } from './types.ts';

const schemes = ['tcp', 'tls', 'udp'] as const;
const form = /^(tcp|tls|udp):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?\/?$/i;

/** True for what is written like an address of a stream, well or not. */
export function isStreamUrl(url: string): boolean {
  return schemes.some((scheme) => url.trim().toLowerCase().startsWith(`${scheme}://`));
}

/** The port may be left out for `tls`, where it is 443. */
export function parseStreamRequest(url: string): Result<StreamRequest, string> {
  const [, given = '', host = '', digits] = form.exec(url.trim()) ?? [];
  if (given === '') return err(`not an address of a stream, write it as tcp://ADDRESS:PORT or tls://NAME:PORT: ${url}`);
  const scheme = given.toLowerCase() as StreamRequest['scheme'];
  if (digits === undefined && scheme !== 'tls') return err(`${scheme}:// needs a port: ${url}`);
  const port = Number(digits ?? 443);
  if (port < 1 || port > 65_535) return err(`not a port: ${digits}`);
  return ok({
    scheme,
    hostname: host
      .toLowerCase()
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, ''),
    port,
  });
}
