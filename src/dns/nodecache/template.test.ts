import { describe, expect, it } from 'vitest';
import { err, ok } from '../../base/result.ts';
import { noKubeDnsConfig } from './configmap.ts';
import { fillTemplate, serviceHostVariable, type TemplateValues } from './template.ts';

/** The template of node-cache's own tests. */
const template = `
cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind __PILLAR__LOCAL__DNS__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
    prometheus __PROMETHEUS__ENDPOINT__
    }
.:53 {
    errors
    cache 30
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__ {
            force_tcp
    }
    prometheus __PROMETHEUS__ENDPOINT__
    }
`;

const values: TemplateValues = {
  localIps: ['169.254.20.10', '10.0.0.10'],
  dnsPort: 53,
  clusterDns: ok('9.10.11.12'),
  prometheusAddress: ':9253',
  config: noKubeDnsConfig,
};

function fill(text: string, more: Partial<TemplateValues> = {}): string {
  const filled = fillTemplate(text, { ...values, ...more });
  if (!filled.ok) throw new Error(filled.error);
  return filled.value.text;
}

describe('the Corefile of the node cache', () => {
  it('is the template with its placeholders filled, as node-cache writes it', () => {
    const expected = template
      .replaceAll('__PILLAR__LOCAL__DNS__', '169.254.20.10 10.0.0.10')
      .replaceAll('__PILLAR__CLUSTER__DNS__', '9.10.11.12')
      .replaceAll('__PILLAR__UPSTREAM__SERVERS__', '/etc/resolv.conf')
      .replaceAll('__PILLAR__DNS__SERVER__', '')
      .replaceAll('__PROMETHEUS__ENDPOINT__', ':9253');
    expect(fill(template)).toBe(expected);
    expect(expected).not.toContain('PILLAR');
  });

  it('asks the user’s own upstreams over UDP, and adds a block for each stub domain', () => {
    const config = {
      stubDomains: new Map([
        ['widget.local', ['2.2.2.2:10053', '[2001:db8::3]:53']],
        ['acme.local', ['1.1.1.1']],
      ]),
      upstreamNameservers: ['2.2.2.2:10053', '3.3.3.3'],
    };
    const text = fill(template, { config });
    expect(text).toContain('\n    forward . 9.10.11.12 {\n            force_tcp\n    }\n');
    expect(text).toContain('10.0.0.10 \n    forward . 2.2.2.2:10053 3.3.3.3\n    prometheus :9253\n');
    expect(text.slice(text.indexOf('\nacme.local'))).toBe(`
acme.local:53 {
    errors
    cache 30
    bind 169.254.20.10 10.0.0.10
    forward . 1.1.1.1
}

widget.local:53 {
    errors
    cache 30
    bind 169.254.20.10 10.0.0.10
    forward . 2.2.2.2:10053 [2001:db8::3]:53
}
`);
  });

  it('drops force_tcp alone from a block that has more, however it is indented', () => {
    const config = { ...noKubeDnsConfig, upstreamNameservers: ['8.8.8.8'] };
    const block = 'forward . __PILLAR__UPSTREAM__SERVERS__ {\n\tforce_tcp\n\tmax_fails 3\n}\n';
    expect(fill(block, { config })).toBe('forward . 8.8.8.8 {\n\tmax_fails 3\n}\n');
    expect(fill('forward . __PILLAR__UPSTREAM__SERVERS__\n', { config })).toBe('forward . 8.8.8.8\n');
    expect(fill('forward . __PILLAR__UPSTREAM__SERVERS__{force_tcp}', { config })).toBe('forward . 8.8.8.8');
  });

  it('puts one address before a port, in brackets where it needs them', () => {
    expect(fill('health __PILLAR__LOCAL__DNS__:8080')).toBe('health 169.254.20.10:8080');
    expect(fill('health __PILLAR__LOCAL__DNS__:8080', { localIps: ['fd00::10', '10.0.0.1'] })).toBe(
      'health [fd00::10]:8080',
    );
  });

  it('needs the Service only where the template names it', () => {
    const clusterDns = err('no such Service');
    expect(fill('bind __PILLAR__LOCAL__DNS__', { clusterDns })).toBe('bind 169.254.20.10 10.0.0.10');
    expect(fillTemplate(template, { ...values, clusterDns })).toEqual(clusterDns);
    expect(serviceHostVariable('kube-dns-upstream')).toBe('KUBE_DNS_UPSTREAM_SERVICE_HOST');
  });

  it('names the placeholders that it does not know', () => {
    expect(fillTemplate('__PILLAR__DNS__DOMAIN__:53 {\n}\n', values)).toMatchObject({
      value: { unknown: ['__PILLAR__DNS__DOMAIN__'] },
    });
  });
});
