import { closeSync, openSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Directive, Line } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup, SetupContext } from '../setup.ts';
import { type ClientAuth, clientAuth, createTls, type PemFiles } from './tls.ts';

const acmeOptions = ['acme', 'email', 'ca', 'storage', 'ca_root', 'resolver'];

function authOf(line: Line): ClientAuth {
  const [word = ''] = expectArgs(line, 1);
  if (Object.hasOwn(clientAuth, word)) return clientAuth[word as keyof typeof clientAuth];
  return refuse(line, `tls: unknown authentication type '${word}'; there are ${Object.keys(clientAuth).join(', ')}`);
}

function refuseAcme(directive: Directive): void {
  const line = directive.block?.find(({ name }) => acmeOptions.includes(name));
  if (line)
    refuse(line, `tls: '${line.name}' is not supported by Fairway: it asks no ACME server; name CERT and KEY files`);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Opens the file as it will be written, so that the error comes now and with its line. */
function keyLogOf(line: Line, context: SetupContext): string {
  const file = context.path(expectArgs(line, 1)[0]!);
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch (error) {
    refuse(line, `tls: unable to write the key log: ${reasonOf(error)}`);
  }
  context.log('warning', `writing the secrets of all connections to ${file}`);
  return file;
}

/** `tls CERT KEY [CA] { client_auth TYPE; keylog FILE }`. */
export const setupTls: Setup = (directives, context) => {
  const directive = single(directives);
  refuseAcme(directive);
  const [cert, key, ca] = expectArgs(directive, 2, 3).map((file) => context.path(file)) as [string, string, string?];
  let auth: ClientAuth = clientAuth.nocert;
  let keyLog: string | undefined;
  readBlock(directive, {
    client_auth: (line) => (auth = authOf(line)),
    keylog: (line) => (keyLog = keyLogOf(line, context)),
  });
  let first: PemFiles;
  try {
    first = { cert: readFileSync(cert), key: readFileSync(key), ...(ca !== undefined && { ca: readFileSync(ca) }) };
    createSecureContext(first);
  } catch (error) {
    return refuse(directive, `tls: ${reasonOf(error)}`);
  }
  const { plugin, identity } = createTls({
    ...{ paths: { cert, key, ...(ca !== undefined && { ca }) }, first, auth, log: context.log },
    ...(keyLog !== undefined && { keyLog }),
  });
  context.settings.tls = identity;
  return plugin;
};
