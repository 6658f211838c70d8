import { describe, expect, it } from 'vitest';
import { createTickets } from './tickets.ts';

const hour = 3_600_000;

describe('ticket keys', () => {
  it('are 48 bytes, the same for one fingerprint and others for another', () => {
    const tickets = createTickets(hour, undefined, 0);
    expect(tickets.keys('a')).toHaveLength(48);
    expect(tickets.keys('a')).toEqual(tickets.keys('a'));
    expect(tickets.keys('a')).not.toEqual(tickets.keys('b'));
    expect(createTickets(hour, undefined, 0).keys('a')).not.toEqual(tickets.keys('a'));
  });

  it('turn with the clock, once per period, and tell it', () => {
    const tickets = createTickets(hour, undefined, 0);
    const before = tickets.keys('a');
    let told = 0;
    const stop = tickets.onTurn(() => told++);
    tickets.turn(hour - 1);
    expect([told, tickets.keys('a')]).toEqual([0, before]);
    tickets.turn(hour);
    tickets.turn(hour + 1);
    expect(told).toBe(1);
    expect(tickets.keys('a')).not.toEqual(before);
    stop();
    tickets.turn(9 * hour);
    expect(told).toBe(1);
  });

  it('are the same in processes that share a secret, whenever these begin', () => {
    const first = createTickets(hour, undefined, 0);
    const second = createTickets(hour, first.secret(), 0);
    first.turn(3 * hour);
    const third = createTickets(hour, first.secret(), 3 * hour);
    const late = createTickets(hour, second.secret(), 3.5 * hour);
    for (const tickets of [third, late]) expect(tickets.keys('a')).toEqual(first.keys('a'));
  });

  it('do not turn back with the clock', () => {
    const tickets = createTickets(hour, undefined, 5 * hour);
    const { period } = tickets.secret();
    tickets.turn(0);
    expect(tickets.secret().period).toBe(period);
  });
});
