import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { endWhenUnread } from './unread.ts';

const brokenPipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

function setUp(serves: boolean) {
  const streams = [new EventEmitter(), new EventEmitter()] as const;
  const calls: unknown[] = [];
  endWhenUnread({
    ...{ streams, hasStop: () => serves },
    ...{ stop: () => calls.push('stop'), exit: (code) => calls.push(code) },
  });
  return { streams, calls };
}

it('ends once when its output is not read any more', () => {
  const { streams, calls } = setUp(false);
  streams[0].emit('error', brokenPipe);
  streams[1].emit('error', brokenPipe);
  expect(calls).toEqual([141]);
});

it('stops what serves in good order', () => {
  const { streams, calls } = setUp(true);
  streams[1].emit('error', brokenPipe);
  expect(calls).toEqual(['stop']);
});

it('hides no other fault', () => {
  const { streams, calls } = setUp(false);
  expect(() => streams[0].emit('error', new Error('no space'))).toThrow('no space');
  expect(calls).toEqual([]);
});
