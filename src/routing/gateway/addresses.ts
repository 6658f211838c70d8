/** Addresses of Gateways: what spec.addresses asks for, and what it gets. */
import { isIP } from 'node:net';
import type { Gateway } from '../../kube/types/index.ts';
import { type Context, type Fault, someOf } from './context.ts';

export interface AddressState {
  /** Addresses that the listeners are served on, as spec.addresses orders them. */
  readonly usable: readonly string[];
  /** Those of them that the Gateway asked for by value. */
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
  if (asked.length === 0) return { usable: [book.gateway(namespace, name)], requested: new Set() };

  const usable = new Set<string>();
  const requested = new Set<string>();
  const unsupported: string[] = [];
  const unusable: string[] = [];
  asked.forEach(({ type = 'IPAddress', value }, index) => {
    const fieldPath = `spec.addresses[${index}]`;
    if (type !== 'IPAddress') {
      unsupported.push(`${type}${value ? ` ${value}` : ''}`);
      context.report('FW3003', gateway, `${fieldPath}.type`, `addresses of type ${type} are not supported`);
    } else if (!value) {
      usable.add(book.gateway(namespace, name));
    } else if (isIP(value) && book.usable(value)) {
      usable.add(value);
      requested.add(value);
    } else {
      unusable.push(value);
      const why = isIP(value) ? 'is not one that a Gateway can have here' : 'is not an IP address';
      context.report('FW3004', gateway, `${fieldPath}.value`, `${value} ${why}`);
    }
  });
  return {
    usable: [...usable],
    requested,
    ...(unsupported.length > 0 && {
      unsupported: {
        reason: 'UnsupportedAddress',
        message: `Only addresses of type IPAddress are supported, not ${someOf(unsupported)}`,
      },
    }),
    ...(unusable.length > 0 && {
      unusable: {
        reason: 'AddressNotUsable',
        message: `Cannot be used here: ${someOf(unusable)}. Ask for another address, or leave the value out to be given one`,
      },
    }),
  };
}
