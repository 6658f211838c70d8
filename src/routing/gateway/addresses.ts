/** Addresses of Gateways: what spec.addresses asks for, and what it gets. */
import { isIP } from 'node:net';
import type { Gateway } from '../../kube/types/index.ts';
import { publishedFor } from '../translate.ts';
import { type Context, type Fault, someOf } from './context.ts';

export interface AddressState {
  /** Addresses that the listeners are served on, as spec.addresses orders them. */
  readonly usable: readonly string[];
  /** What the status shows for them; empty when nobody can tell yet where they are reached. */
  readonly shown: readonly string[];
  /** Those of the served ones that the Gateway asked for by value. */
  readonly requested: ReadonlySet<string>;
  /** Accepted=False: an address type that is not supported. */
  readonly unsupported?: Fault;
  /** Programmed=False: an address that cannot be had. The others are served. */
  readonly unusable?: Fault;
}

/** Without an address, or for one without a value, the Gateway gets its own from the address book. */
export function resolveAddresses(context: Context, gateway: Gateway): AddressState {
  const asked = gateway.spec.addresses ?? [];
  const { namespace = 'default', name } = gateway.metadata;
  const book = context.input.addresses;
  const usable = new Set<string>();
  const shown = new Set<string>();
  const give = () => {
    const address = book.gateway(namespace, name);
    usable.add(address);
    for (const one of publishedFor(book, address)) shown.add(one);
  };
  if (asked.length === 0) {
    give();
    return { usable: [...usable], shown: [...shown], requested: new Set() };
  }

  const requested = new Set<string>();
  const unsupported: string[] = [];
  const unusable: string[] = [];
  asked.forEach(({ type = 'IPAddress', value }, index) => {
    const fieldPath = `spec.addresses[${index}]`;
    if (type !== 'IPAddress') {
      unsupported.push(`${type}${value ? ` ${value}` : ''}`);
      context.report('FW3003', gateway, `${fieldPath}.type`, `addresses of type ${type} are not supported`);
    } else if (!value) {
      give();
    } else if (isIP(value) && book.usable(value)) {
      const address = book.served?.(value) ?? value;
      usable.add(address);
      shown.add(value);
      requested.add(address);
    } else {
      unusable.push(value);
      const why = isIP(value) ? 'is not one that a Gateway can have here' : 'is not an IP address';
      context.report('FW3004', gateway, `${fieldPath}.value`, `${value} ${why}`);
    }
  });
  return {
    usable: [...usable],
    shown: [...shown],
    requested,
    ...(unsupported.length > 0 && {
      unsupported: {
        reason: 'UnsupportedAddress',
        message: `Only addresses of type IPAddress are supported, not ${someOf(unsupported)}`,
        told: `spec.addresses: only addresses of type IPAddress are supported, not ${someOf(unsupported)}; fix: ask for one of type IPAddress, or leave spec.addresses out to be given one`,
      },
    }),
    ...(unusable.length > 0 && {
      unusable: {
        reason: 'AddressNotUsable',
        message: `spec.addresses: cannot be used here: ${someOf(unusable)}; fix: ask for another address, or leave the value out to be given one`,
      },
    }),
  };
}
