/**
 * What must outlive this process about an order: where it is, and the private key of the certificate to come. Kept in a
 * Secret from before the order is finalized until the certificate is in its own Secret; and after a failure, so
 * that a restart does not try again before its time.
 */
import type { Secret } from '../../kube/types/index.ts';
import { managedBy, orderSecretName, types } from './names.ts';
import type { AcmeObjects } from './objects.ts';

export interface OrderState {
  /** What the order is for. Of another server or other names, it is of no use any more. */
  readonly server: string;
  readonly names: readonly string[];
  /** Of the order, with the private key in PEM. Absent: none is under way. */
  readonly order?: { readonly url: string; readonly key: string };
  /** Attempts in a row that have failed for good. */
  readonly failures: number;
  /** Milliseconds since the epoch before which there is no other attempt. */
  readonly retryAt?: number;
  /** Why the last attempt failed. */
  readonly problem?: string;
}

export interface OrderStates {
  /** By the key of the certificate. */
  load(key: string): Promise<OrderState | undefined>;
  save(key: string, state: OrderState): Promise<void>;
  drop(key: string): Promise<void>;
}

export function createOrderStates(objects: AcmeObjects, namespace: string): OrderStates {
  /** As read or written last, so that a write can say what it replaces. */
  const known = new Map<string, Secret | undefined>();

  async function read(key: string): Promise<Secret | undefined> {
    const secret = await objects.read('secrets', namespace, orderSecretName(key));
    known.set(key, secret);
    return secret;
  }

  return {
    async load(key) {
      const secret = await read(key);
      return secret && decode(secret);
    },
    async save(key, state) {
      const before = known.has(key) ? known.get(key) : await read(key);
      // Whatever went wrong, the next write looks first.
      known.delete(key);
      const next = encode(key, namespace, state);
      const { resourceVersion } = before?.metadata ?? {};
      const metadata = { ...next.metadata, ...(resourceVersion && { resourceVersion }) };
      known.set(key, await objects.write('secrets', { ...next, metadata }));
    },
    async drop(key) {
      if (known.has(key) && known.get(key) === undefined) return;
      known.delete(key);
      await objects.remove('secrets', namespace, orderSecretName(key));
      known.set(key, undefined);
    },
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const fromBase64 = (text: string | undefined) => Buffer.from(text ?? '', 'base64').toString('utf8');

function encode(key: string, namespace: string, { order, ...state }: OrderState): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...{ name: orderSecretName(key), namespace, labels: managedBy },
      annotations: { 'fairway.dev/acme-certificate': key },
    },
    type: types.order,
    data: {
      state: base64(JSON.stringify(state)),
      ...(order && { order: base64(order.url), 'tls.key': base64(order.key) }),
    },
  };
}

/** Undefined for what we have not written: then there is no order. */
function decode({ type, data = {} }: Secret): OrderState | undefined {
  if (type !== types.order) return undefined;
  try {
    const state = JSON.parse(fromBase64(data['state'])) as OrderState;
    if (!Array.isArray(state.names) || typeof state.server !== 'string') return undefined;
    const [url, key] = [fromBase64(data['order']), fromBase64(data['tls.key'])];
    return {
      ...state,
      failures: Number(state.failures) || 0,
      ...(url !== '' && key !== '' && { order: { url, key } }),
    };
  } catch {
    // Somebody has spoilt it: the order that it told of runs out by itself.
    return undefined;
  }
}
