import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Line } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';

/** Whether a certificate is asked for, and whether the connection ends without a good one. */
const clientAuth = {
  nocert: { ask: false, require: false },
  request: { ask: true, require: false },
  require_and_verify: { ask: true, require: true },
} as const;

type ClientAuth = (typeof clientAuth)[keyof typeof clientAuth];

function authOf(line: Line): ClientAuth {
  const [word = ''] = expectArgs(line, 1);
  if (Object.hasOwn(clientAuth, word)) return clientAuth[word as keyof typeof clientAuth];
  return refuse(
    line,
    `tls: the authentication type '${word}' is not supported; there are ${Object.keys(clientAuth).join(', ')}`,
  );
}

function notServed(line: Line): never {
  return refuse(line, `tls: the option '${line.name}' is not supported by Fairway`);
}

/** `tls CERT KEY [CA] { client_auth nocert|request|require_and_verify }`. */
export const setupTls: Setup = (directives, context) => {
  const directive = single(directives);
  if (directive.args[0] === 'acme') refuse(directive, "tls: 'acme' is not supported by Fairway");
  const [cert, key, ca] = expectArgs(directive, 2, 3) as [string, string, string | undefined];
  const read = (file: string) => readFileSync(context.path(file));
  let auth: ClientAuth = clientAuth.nocert;
  readBlock(directive, {
    client_auth(line) {
      auth = authOf(line);
    },
    keylog: notServed,
    acme: notServed,
  });
  if (auth.require && ca === undefined) refuse(directive, 'tls: require_and_verify needs a CA');
  try {
    const files = { cert: read(cert), key: read(key), ...(ca !== undefined && { ca: read(ca) }) };
    createSecureContext(files);
    context.settings.tls = { ...files, askClient: auth.ask, requireClient: auth.require };
  } catch (error) {
    refuse(directive, `tls: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
};
