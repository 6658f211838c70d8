/** Tells a client its own address, port and transport, in the additional section. */
import { canonicalAddress } from '../../wire/address.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { addressRecord, makeRecord } from '../../wire/records.ts';
import { emptyAnswer } from '../../wire/response.ts';
import type { Plugin } from '../plugin.ts';

export function createWhoami(): Plugin {
  return {
    name: 'whoami',
    handle({ query, client }) {
      const name = nameOf(query);
      const address = canonicalAddress(client.address.replace(/%.*$/, ''));
      const transport = client.protocol === 'udp' ? 'udp' : 'tcp';
      const service = name === '.' ? `_${transport}.` : `_${transport}.${name}`;
      // A name that would be too long with the label in front goes without it.
      const owner = service.length > 254 ? name : service;
      const data = { kind: 'srv', priority: 0, weight: 0, port: client.port, target: '.' } as const;
      const additional = [
        ...(address ? [addressRecord(name, 0, address)] : []),
        makeRecord(owner, recordType.SRV, 0, data),
      ];
      return {
        kind: 'answer',
        by: 'whoami',
        answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, additional },
      };
    },
  };
}
