import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAwaited } from './awaited.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a key has its time, then is told of once and stays over until it is forgotten', () => {
  const told: string[] = [];
  const awaited = createAwaited(50, (key) => told.push(key));
  expect(awaited.isAwaited('a')).toBe(true);
  vi.advanceTimersByTime(49);
  expect(awaited.isAwaited('a')).toBe(true);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(51);
  expect(told).toEqual(['a']);
  expect(awaited.isAwaited('a')).toBe(false);
  vi.advanceTimersByTime(500);
  expect(told).toEqual(['a']);
  awaited.forget('a');
  expect(awaited.isAwaited('a')).toBe(true);
  awaited.close();
});

test('keys that come later have their own full time', () => {
  const told: string[] = [];
  const awaited = createAwaited(50, (key) => told.push(key));
  awaited.isAwaited('a');
  vi.advanceTimersByTime(40);
  awaited.isAwaited('b');
  vi.advanceTimersByTime(20);
  awaited.isAwaited('c');
  vi.advanceTimersByTime(40);
  expect(told).toEqual(['a', 'b']);
  vi.advanceTimersByTime(49);
  expect(told).toEqual(['a', 'b']);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['a', 'b', 'c']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a key that is forgotten is not told of, and nothing is after the end', () => {
  const told: string[] = [];
  const awaited = createAwaited(50, (key) => told.push(key));
  awaited.isAwaited('a');
  awaited.isAwaited('b');
  awaited.forget('a');
  vi.advanceTimersByTime(100);
  expect(told).toEqual(['b']);
  awaited.isAwaited('c');
  awaited.close();
  vi.advanceTimersByTime(500);
  expect(told).toEqual(['b']);
});
