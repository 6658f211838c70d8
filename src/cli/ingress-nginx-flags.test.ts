import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addIngressNginxFlags, ingressFlagsOf } from './ingress-nginx-flags.ts';

function read(...words: string[]) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addIngressNginxFlags(command);
  command.parse(words, { from: 'user' });
  return ingressFlagsOf(command.opts());
}

describe('flags of ingress-nginx', () => {
  it('say nothing when there are none', () => expect(read()).toEqual({}));

  it.each([
    ['--default-ssl-certificate shop/wild', { defaultCertificate: 'shop/wild' }],
    ['--configmap edge/settings', { configMap: 'edge/settings' }],
    ['--tcp-services-configmap edge/tcp', { tcpServices: 'edge/tcp' }],
    ['--udp-services-configmap edge/udp', { udpServices: 'edge/udp' }],
    ['--default-backend-service edge/pages', { defaultBackend: 'edge/pages' }],
    ['--controller-class k8s.io/internal', { controllerClass: 'k8s.io/internal' }],
    ['--ingress-class internal', { ingressClass: 'internal' }],
    ['--watch-ingress-without-class', { watchWithoutClass: true }],
    ['--enable-ssl-passthrough', { sslPassthrough: true }],
  ])('%s', (line, flags) => expect(read(...line.split(' '))).toEqual({ ingressNginx: flags }));

  it.each(['--configmap settings', '--default-backend-service pages', '--tcp-services-configmap A/b'])(
    '%s is refused',
    (line) => {
      expect(() => read(...line.split(' '))).toThrow('NAMESPACE/NAME');
    },
  );
});
