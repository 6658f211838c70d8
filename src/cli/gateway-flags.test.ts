import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addGatewayFlags, type GatewayFlags } from './gateway-flags.ts';

function parse(...words: string[]): GatewayFlags {
  const command = new Command('gateway').exitOverride().configureOutput({ writeErr: () => undefined });
  addGatewayFlags(command);
  return command.parse(words, { from: 'user' }).opts<GatewayFlags>();
}

describe('flags of fairway gateway', () => {
  it('have defaults under which everything is written', () => {
    expect(parse()).toMatchObject({ controllerName: 'fairway.dev/gateway', gatewayServices: true, events: true });
    expect(parse()).not.toHaveProperty('xbackendAllow');
  });

  it('are taken as they are', () => {
    const flags = ['--controller-name', 'example.com/internal/two', '--gateway-services=false', '--events=false'];
    const networks = [
      '--xbackend-allow',
      '10.1.0.0/16',
      '--xbackend-allow',
      '192.0.2.7',
      '--xbackend-deny',
      'fd00::/8',
    ];
    expect(parse(...flags, ...networks)).toMatchObject({
      ...{ controllerName: 'example.com/internal/two', gatewayServices: false, events: false },
      ...{ xbackendAllow: ['10.1.0.0/16', '192.0.2.7'], xbackendDeny: ['fd00::/8'] },
    });
  });

  it.each([
    ['--controller-name', 'fairway'],
    ['--controller-name', 'Example.com/x'],
    ['--controller-name', `example.com/${'x'.repeat(253)}`],
    ['--gateway-services', 'perhaps'],
    ['--xbackend-allow', 'example.com'],
    ['--xbackend-deny', '10.0.0.0/33'],
  ])('%s is not %s', (flag, value) => {
    expect(() => parse(flag, value)).toThrow(/argument '.*' is invalid/);
  });
});
