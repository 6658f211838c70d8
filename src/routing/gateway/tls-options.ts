/** Options of a listener's TLS (Gateway spec.listeners[].tls.options): one is known, `fairway.dev/alpn`. */
import type { KubeObject } from '../../kube/types/index.ts';
import type { Context } from './context.ts';
import type { ListenerSpec } from './model.ts';

/**
 * `fairway.dev/alpn: postgresql` or `h2, http/1.1`: what is agreed with clients of a TLS listener that terminates, the
 * one preferred first. Gateway API says nothing of ALPN there, and nobody but the user knows what the backend speaks.
 */
const alpnOption = 'fairway.dev/alpn';

/** RFC 7301 section 3.1: 1 to 255 bytes; those that one would write into a manifest. */
const protocolName = /^[!-+\--~]{1,255}$/;
const maxProtocols = 16;

/** The protocols to agree on; undefined for none. What cannot be followed is reported and has no effect. */
export function resolveTlsOptions(
  context: Context,
  owner: KubeObject,
  spec: ListenerSpec,
  fieldPath: string,
): readonly string[] | undefined {
  const options = spec.tls?.options ?? {};
  for (const option of Object.keys(options))
    if (option !== alpnOption)
      context.report('FW3005', owner, fieldPath, `the option ${option} is not known and has no effect`);
  const given = options[alpnOption];
  if (given === undefined) return undefined;
  const problem = problemOf(spec, given);
  if (problem === undefined) return protocolsOf(given);
  context.report('FW3005', owner, fieldPath, `the option ${alpnOption} has no effect: ${problem}`);
  return undefined;
}

const protocolsOf = (text: string) => [...new Set(text.split(',').map((name) => name.trim()))];

function problemOf({ protocol, tls }: ListenerSpec, given: string): string | undefined {
  if (protocol !== 'TLS' || tls?.mode === 'Passthrough') return 'it is for listeners of protocol TLS that terminate';
  const names = protocolsOf(given);
  if (names.length > maxProtocols) return `it names more than ${maxProtocols} protocols`;
  const bad = names.find((name) => !protocolName.test(name));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} is no name of a protocol`;
}
