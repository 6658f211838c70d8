/** Snippets of Ingresses and of the ConfigMap: who may have them, where they stand, and what a fault shuts. */
import { describe, expect, it } from 'vitest';
import { defaultNginxConfig, type NginxConfig } from './config/config.ts';
import { readNginxConfig } from './config/read.ts';
import { become, nginxIngress, services, translateNginx } from './testing.ts';

const host = 'shop.example.com';
const turn = 'return 302 https://$service_name.example/;';
const allowed = { allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' } as const;

function translate(annotations: Record<string, string>, config: Partial<NginxConfig>) {
  const web = nginxIngress('web', [[host, 'Prefix', '/shop', 'web']], { annotations });
  const other = nginxIngress('two', [['other.example.com', 'Prefix', '/', 'two']]);
  const ingressNginx = { config: { ...defaultNginxConfig, ...config } };
  return translateNginx([...services('web', 'two'), web, other], { ingressNginx });
}
const on = (output: ReturnType<typeof translate>, target: string, name = host) =>
  become({ output, host: name, target });
const messages = ({ diagnostics }: ReturnType<typeof translate>) => diagnostics.map(({ code, message }) => `${code} ${message}`); // biome-ignore format: one line

describe('snippets of Ingresses', () => {
  it.each([
    [{}, /allow-snippet-annotations is not set/],
    [{ allowSnippetAnnotations: true }, /annotations-risk-level is High in the ConfigMap, and snippets need Critical/],
    [{ annotationsRiskLevel: 'Critical' }, /allow-snippet-annotations is not set/],
  ] as const)('shut the location where they are not allowed: %j', (config, why) => {
    const output = translate({ 'configuration-snippet': turn }, config);
    expect(on(output, '/shop')).toBe('503');
    expect(on(output, '/', 'other.example.com')).toBe('two /');
    expect(messages(output)).toEqual([expect.stringMatching(why)]);
  });

  it('are followed where both keys say so', () => {
    expect(on(translate({ 'configuration-snippet': turn }, allowed), '/shop')).toBe('302 https://web.example/');
  });
});

describe('snippets of the ConfigMap', () => {
  it('of locations stand behind that of the Ingress, and need nobody’s leave', () => {
    const config = { locationSnippet: turn };
    expect(on(translate({}, config), '/shop/a')).toBe('302 https://web.example/');
    expect(on(translate({}, config), '/', 'other.example.com')).toBe('302 https://two.example/');
    const own = { 'configuration-snippet': 'return 302 https://own.example/;' };
    expect(on(translate(own, { ...allowed, ...config }), '/shop')).toBe('302 https://own.example/');
  });

  it('of servers come before every location, also before paths that no rule takes', () => {
    const output = translate({}, { serverSnippet: 'return 302 https://$host.example/;' });
    expect(on(output, '/shop')).toBe('302 https://shop.example.com.example/');
    expect(on(output, '/else')).toBe('302 https://shop.example.com.example/');
    expect(on(output, '/', 'nobody.example.com')).toBe('302 https://nobody.example.com.example/');
  });

  it.each(['location-snippet', 'server-snippet'])('%s shuts all locations when it cannot be read', (key) => {
    const { config, problems } = readNginxConfig({ [key]: 'proxy_pass http://elsewhere;' }, () => undefined);
    expect(problems).toEqual([{ code: 'FW5511', key, message: expect.stringMatching(/^[a-z-]+: line 1: proxy_pass/) }]);
    const output = translate({}, config);
    expect(on(output, '/shop')).toBe('503');
    expect(on(output, '/', 'other.example.com')).toBe('503');
  });

  it('knows what locations have of their own, and groups of paths', () => {
    const text = 'more_set_headers "X-At: $namespace/$ingress_name $service_name $1";';
    expect(readNginxConfig({ 'location-snippet': text }, () => undefined).problems).toEqual([]);
    expect(readNginxConfig({ 'server-snippet': text }, () => undefined).problems).toHaveLength(1);
  });
});
