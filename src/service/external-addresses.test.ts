import { describe, expect, it } from 'vitest';
import { createAddressFilter } from './external-addresses.ts';

describe('addresses outside of the cluster', () => {
  const filter = createAddressFilter();

  it.each([...['93.184.216.34', '10.0.0.1', '192.168.1.1', '100.64.0.1', '2606:2800:220:1::1', 'fd00::1']])(
    'permits %s',
    (address) => expect(filter.permits(address)).toBe(true),
  );

  it.each([
    ...['127.0.0.1', '127.250.0.1', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '100.100.100.200'],
    ...['::1', '::', 'fe80::1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::1', 'ff02::1'],
    ...['fd00:ec2::254', 'localhost', '', '1.2.3', '0x7f.1'],
  ])('refuses %s', (address) => expect(filter.permits(address)).toBe(false));

  it('refuses more when it is told to, but for what is permitted in spite of it', () => {
    const narrow = createAddressFilter(['10.1.0.0/16', 'fd00::7'], ['10.0.0.0/8', 'fd00::/8', 'rubbish']);
    const judged = (...addresses: string[]) => addresses.map((address) => narrow.permits(address));
    expect(judged('10.1.2.3', 'fd00::7', '192.0.2.1', '2001:db8::1')).toEqual([true, true, true, true]);
    expect(judged('10.2.0.1', 'fd00::8', '127.0.0.1', '::1')).toEqual([false, false, false, false]);
    const closed = createAddressFilter(['192.0.2.0/24'], ['0.0.0.0/0', '::/0']);
    expect(['192.0.2.1', '93.184.216.34', '2606:2800:220:1::1'].map((address) => closed.permits(address))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('permits what it is told to, and nothing else', () => {
    const wide = createAddressFilter(['127.77.0.0/16', '::1', 'rubbish', '10.0.0.0/99', '/8']);
    const permitted = ['127.77.1.1', '::1', '10.0.0.1'].map((address) => wide.permits(address));
    expect(permitted).toEqual([true, true, true]);
    expect(['127.78.1.1', '169.254.169.254'].map((address) => wide.permits(address))).toEqual([false, false]);
  });
});
