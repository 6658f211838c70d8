/** Accounts at ACME servers: the key is kept in a Secret before the server hears of it, so that it is never made twice. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { Timing } from '../../kube/client/timing.ts';
import type { Secret } from '../../kube/types/index.ts';
import { type AcmeClient, createAcmeClient } from './client.ts';
import { keyToPem, newKey } from './csr.ts';
import type { Issuer } from './issuers.ts';
import { accountSecretName, managedBy, types } from './names.ts';
import type { AcmeObjects } from './objects.ts';
import { createTransport } from './transport.ts';

export interface AccountsOptions {
  readonly objects: AcmeObjects;
  /** Where Secrets of accounts and of external accounts are. */
  readonly namespace: string;
  readonly timing: Timing;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

export interface Accounts {
  /** Speaks for the issuer's account, which is made when it is not there. */
  client(issuer: Issuer): Promise<AcmeClient>;
  /** The server knows nothing of the account any more: it is made anew, with the same key. */
  forget(issuer: Issuer): Promise<void>;
  close(): void;
}

interface Known {
  readonly issuer: Issuer;
  readonly client: Promise<AcmeClient>;
  close(): void;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { objects, namespace, timing, userAgent, signal } = options;
  const known = new Map<string, Known>();

  const write = (secret: Secret) => objects.write('secrets', secret);

  async function stored({ name, server }: Issuer): Promise<Secret> {
    const found = await objects.read('secrets', namespace, accountSecretName(name, server));
    return found ?? write(accountSecret(name, server));
  }

  function accountSecret(issuer: string, server: string): Secret {
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: accountSecretName(issuer, server), namespace, labels: managedBy },
      type: types.account,
      data: { 'account.key': base64(keyToPem(newKey())), server: base64(server) },
    };
  }

  async function bindingOf({ binding }: Issuer) {
    if (!binding) return undefined;
    const secret = await objects.read('secrets', namespace, binding.secret);
    const macKey = textOf(secret, binding.secretKey).trim();
    if (!/^[A-Za-z0-9_-]+=*$/.test(macKey))
      throw new Error(`Secret ${namespace}/${binding.secret} has no ${binding.secretKey} in base64url`);
    return { keyId: binding.keyId, macKey };
  }

  async function open(issuer: Issuer, make: (key: KeyObject) => AcmeClient): Promise<AcmeClient> {
    const secret = await stored(issuer);
    const client = make(keyOf(secret));
    const url = textOf(secret, 'account');
    if (url !== '') {
      client.use(url);
      if (textOf(secret, 'email') === (issuer.email ?? '')) return client;
      await client.updateContact(issuer.email);
    } else {
      const binding = await bindingOf(issuer);
      const { email } = issuer;
      const wish = { termsOfServiceAgreed: true, ...(email !== undefined && { email }), ...(binding && { binding }) };
      client.use(await client.register(wish));
    }
    const account = url !== '' ? url : client.account()!;
    await write({ ...secret, data: { ...secret.data, account: base64(account), email: base64(issuer.email ?? '') } });
    return client;
  }

  return {
    client(issuer) {
      const before = known.get(issuer.name);
      if (before?.issuer === issuer) return before.client;
      before?.close();
      const transport = createTransport({ userAgent, ...(issuer.ca !== undefined && { ca: issuer.ca }) });
      const client = open(issuer, (key) => createAcmeClient({ server: issuer.server, key, transport, timing, signal }));
      const entry = { issuer, client, close: transport.close };
      known.set(issuer.name, entry);
      client.catch(() => {
        // Not remembered: the next one tries again.
        if (known.get(issuer.name) === entry) known.delete(issuer.name);
        transport.close();
      });
      return client;
    },
    async forget(issuer) {
      known.get(issuer.name)?.close();
      known.delete(issuer.name);
      const secret = await stored(issuer);
      const { account: _gone, ...data } = secret.data ?? {};
      if (_gone !== undefined) await write({ ...secret, data });
    },
    close() {
      for (const each of known.values()) each.close();
      known.clear();
    },
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

const textOf = (secret: Secret | undefined, key: string) =>
  Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');

function keyOf(secret: Secret): KeyObject {
  const { namespace, name } = secret.metadata;
  try {
    const key = createPrivateKey(textOf(secret, 'account.key'));
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // The message says which key it is; what is wrong with it must not be printed.
  }
  throw new Error(`account.key of Secret ${namespace}/${name} is no private key on P-256`);
}
