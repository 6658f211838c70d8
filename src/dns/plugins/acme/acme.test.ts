/** TXT records of open challenges out of a ConfigMap, as they come and go. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore } from '../../../kube/store/store.ts';
import type { ConfigMap } from '../../../kube/types/index.ts';
import { serveCorefile } from '../../testing.ts';

const [one, two] = ['A'.repeat(43), `${'b'.repeat(42)}_`];

async function open(corefile: string) {
  const store = createStore();
  const put = (data: Record<string, string>) =>
    store.put('configmaps', {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'open', namespace: 'fairway' } },
      data,
    } as ConfigMap);
  const server = await serveCorefile(corefile, { address: '127.84.4.1', store });
  onTestFinished(() => server.stop());
  return { server, put };
}

const corefile = `. {
  acme example.com {
    configmap fairway/open
    ttl 3
  }
  template IN ANY {
    rcode NXDOMAIN
  }
}`;
const name = '_acme-challenge.example.com.';

describe('acme', () => {
  it('answers what is in the ConfigMap, and passes on what is not', async () => {
    const { server, put } = await open(corefile);
    expect(await server.answers(name, 'TXT')).toBe('NXDOMAIN');
    put({ 'dns-01._acme-challenge.example.com': `${one}\n${two}` });
    expect(await server.answers(name, 'TXT')).toBe(`NOERROR ${name} 3 TXT "${one}" ${name} 3 TXT "${two}"`);
    expect(await server.answers('_ACME-challenge.Example.COM.', 'TXT')).toContain(one);
    expect(await server.answers(name, 'A')).toBe('NOERROR');
    expect((await server.ask(name, 'A')).authority).toHaveLength(1);
    expect(await server.answers('example.com.', 'TXT')).toBe('NXDOMAIN');
    expect(await server.answers('_acme-challenge.a.example.com.', 'TXT')).toBe('NXDOMAIN');
    put({});
    expect(await server.answers(name, 'TXT')).toBe('NXDOMAIN');
  });

  it('answers for its zones only', async () => {
    const { server, put } = await open(corefile);
    put({ 'dns-01._acme-challenge.example.org': one });
    expect(await server.answers('_acme-challenge.example.org.', 'TXT')).toBe('NXDOMAIN');
  });

  it('is deaf to what is no challenge', async () => {
    const { server, put } = await open(corefile);
    const long = `${one}${one}`;
    put({
      'dns-01.www.example.com': one,
      'dns-01._acme-challenge.example.com': long,
      'dns-01...': one,
      'http-01.x': one,
    });
    expect(await server.answers(name, 'TXT')).toBe('NXDOMAIN');
    expect(await server.answers('www.example.com.', 'TXT')).toBe('NXDOMAIN');
  });

  it('is asked again about a name that others have said something of', async () => {
    const { server, put } = await open(`example.com {
      acme {
        configmap fairway/open
      }
      file ${import.meta.dirname}/example.zone
    }`);
    for (let i = 0; i < 3; i++) expect(await server.answers(name, 'TXT')).toContain('"from the file"');
    put({ 'dns-01._acme-challenge.example.com': one });
    expect(await server.answers(name, 'TXT')).toContain(one);
    put({});
    expect(await server.answers(name, 'TXT')).toContain('"from the file"');
  });

  it.each([
    ['configmap nowhere', 'configmap expects NAMESPACE/NAME'],
    ['ttl 4000', '3600'],
    ['what', 'what'],
  ])('refuses %s', async (line, message) => {
    await expect(serveCorefile(`. {\n  acme {\n    ${line}\n  }\n}`, { address: '127.84.4.1' })).rejects.toThrow(
      message,
    );
  });
});
