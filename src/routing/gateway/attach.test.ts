import { describe, expect, it } from 'vitest';
import { meetHostnames } from './attach.ts';

describe('hostnames of a route at a listener', () => {
  it('are the listener’s where the route names none', () => {
    expect(meetHostnames('*.example.com', undefined)).toEqual([{ hostname: '*.example.com', own: '*' }]);
    expect(meetHostnames('*', [])).toEqual([{ hostname: '*', own: '*' }]);
  });

  it('are those within the listener’s', () => {
    expect(meetHostnames('*.example.com', ['a.example.com', 'example.com', 'a.net'])).toEqual([
      { hostname: 'a.example.com', own: 'a.example.com' },
    ]);
  });

  it('stand for the most specific of several that meet in one place', () => {
    expect(meetHostnames('a.example.com', ['*.com', '*.example.com', 'a.example.com', '*.com'])).toEqual([
      { hostname: 'a.example.com', own: 'a.example.com' },
    ]);
  });
});
