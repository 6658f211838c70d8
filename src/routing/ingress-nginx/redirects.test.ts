/** Where clients of ingress-nginx are sent: to https, to other addresses, to the name with or without www. */
import { describe, expect, it } from 'vitest';
import { loadObjects } from '../ingress/test-helpers.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { defaultNginxConfig } from './config/config.ts';
import { become, type IngressOptions, nginxIngress, services, translateNginx } from './testing.ts';

const host = 'shop.example.com';
const all = services('web', 'two');

/** A path `/` of the host; more of them after it. */
const web = (
  annotations: Record<string, string> = {},
  options: IngressOptions = {},
  paths: readonly string[] = ['/'],
) =>
  nginxIngress(
    'web',
    paths.map((path) => [host, 'Prefix', path, 'web'] as const),
    { annotations, age: 1, ...options },
  );
const secret = loadObjects(`apiVersion: v1
kind: Secret
metadata: { name: shop }
type: kubernetes.io/tls
data: { tls.crt: $(shop.crt+middle.crt), tls.key: $(shop.key) }`);
const tls = (secretName?: string, hosts: readonly string[] = [host]) => ({ tls: [{ hosts, ...(secretName && { secretName }) }] }); // biome-ignore format: one line

const translate = (objects: readonly object[], changes: Partial<TranslateInput> = {}) =>
  translateNginx([...all, ...secret, ...objects], changes);
const on = (output: TranslateOutput, target: string, name = host) => become({ output, host: name, target });
const overTls = (output: TranslateOutput, target: string, name = host) =>
  become({ output, host: name, target, tls: true });
const codes = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);

describe('to https', () => {
  it('hosts with a certificate, by 308 without the last slash', () => {
    const output = translate([web({}, { spec: tls('shop') })]);
    expect(on(output, '/')).toBe('308 https://shop.example.com');
    expect(on(output, '/a/b/?x=1')).toBe('308 https://shop.example.com/a/b/?x=1');
    expect(on(output, '/a/b/')).toBe('308 https://shop.example.com/a/b');
    expect(on(output, '/a', 'SHOP.example.com:8080')).toBe('308 https://shop.example.com/a');
    expect(overTls(output, '/a/')).toBe('web /a/');
  });

  it('hosts without a certificate only where it is forced', () => {
    expect(on(translate([web()]), '/a')).toBe('web /a');
    expect(on(translate([web({ 'force-ssl-redirect': 'true' })]), '/a')).toBe('308 https://shop.example.com/a');
  });

  it('hosts of a TLS section that names no Secret, or one that is not there', () => {
    expect(on(translate([web({}, { spec: tls() })]), '/a')).toBe('308 https://shop.example.com/a');
    expect(on(translate([web({}, { spec: tls('missing') })]), '/a')).toBe('308 https://shop.example.com/a');
    expect(on(translate([web({}, { spec: tls('shop', ['other.example.com']) })]), '/a')).toBe(
      '308 https://shop.example.com/a',
    );
  });

  it('not where ssl-redirect is false, by Ingress and not by host', () => {
    const other = nginxIngress('two', [[host, 'Prefix', '/two', 'two']], { age: 2 });
    const output = translate([web({ 'ssl-redirect': 'false' }, { spec: tls('shop') }), other]);
    expect([on(output, '/a'), on(output, '/two')]).toEqual(['web /a', '308 https://shop.example.com/two']);
  });

  it('with the slash, with the port', () => {
    expect(on(translate([web({ 'preserve-trailing-slash': 'true' }, { spec: tls('shop') })]), '/a/')).toBe('308 https://shop.example.com/a/'); // biome-ignore format: one line
    expect(on(translate([web({ 'use-port-in-redirects': 'true' }, { spec: tls('shop') })]), '/a')).toBe('308 https://shop.example.com:443/a'); // biome-ignore format: one line
  });

  it('not for the paths of challenges, by the path of the location', () => {
    const output = translate([web({}, { spec: tls('shop') }, ['/', '/.well-known/acme-challenge/token'])]);
    expect(on(output, '/.well-known/acme-challenge/token')).toBe('web /.well-known/acme-challenge/token');
    expect(on(output, '/.well-known/acme-challenge/other')).toBe('308 https://shop.example.com/.well-known/acme-challenge/other'); // biome-ignore format: one line
  });

  it('as the ConfigMap says', () => {
    const config = { ...defaultNginxConfig, httpRedirectCode: 301, forceSslRedirect: true };
    expect(on(translate([web()], { ingressNginx: { config } }), '/a')).toBe('301 https://shop.example.com/a');
  });

  it('hosts below a wildcard host with a certificate', () => {
    const wild = nginxIngress('wild', [['*.example.com', 'Prefix', '/', 'two']], { age: 2, spec: tls('shop', ['*.example.com']) }); // biome-ignore format: one line
    expect(on(translate([web(), wild]), '/a')).toBe('308 https://shop.example.com/a');
  });

  it('paths that no Ingress has', () => {
    const output = translate([web({}, { spec: tls('shop') }, ['/a'])]);
    expect([on(output, '/z'), overTls(output, '/z')]).toEqual(['308 https://shop.example.com/z', '404']);
  });
});

describe('to other addresses', () => {
  it('permanent-redirect and temporal-redirect, of which the latter counts', () => {
    const permanent = { 'permanent-redirect': 'https://new.example/x' };
    expect(on(translate([web(permanent)]), '/a?b')).toBe('301 https://new.example/x');
    expect(on(translate([web({ ...permanent, 'permanent-redirect-code': '308' })]), '/')).toBe('308 https://new.example/x'); // biome-ignore format: one line
    const both = { ...permanent, 'temporal-redirect': 'https://now.example$request_uri' };
    expect(on(translate([web(both)]), '/a?b')).toBe('302 https://now.example/a?b');
    expect(on(translate([web({ ...both, 'temporal-redirect-code': '307' })]), '/')).toBe('307 https://now.example/');
  });

  it('before the redirect to https', () => {
    const output = translate([web({ 'permanent-redirect': 'https://new.example' }, { spec: tls('shop') })]);
    expect(on(output, '/a')).toBe('301 https://new.example');
  });

  it('a path of this host is made absolute, unless it is to be relative', () => {
    expect(on(translate([web({ 'temporal-redirect': '/there' })]), '/')).toBe('302 http://shop.example.com/there');
    expect(on(translate([web({ 'temporal-redirect': '/there', 'relative-redirects': 'true' })]), '/')).toBe('302 /there'); // biome-ignore format: one line
  });

  it('all are relative where the ConfigMap says so', () => {
    const config = { ...defaultNginxConfig, relativeRedirects: true };
    const output = translate([web({ 'temporal-redirect': '/there' }, {}, ['/p/'])], { ingressNginx: { config } });
    expect([on(output, '/p/x'), on(output, '/p')]).toEqual(['302 /there', '301 /p/']);
  });

  it('an unknown variable shuts the path, as nobody knows where it leads', () => {
    const output = translate([web({ 'permanent-redirect': 'https://new.example/$nothing' })]);
    expect([on(output, '/'), codes(output)]).toEqual(['503', ['FW2018']]);
  });

  it('app-root, for / of the host alone', () => {
    const other = nginxIngress('two', [[host, 'Prefix', '/two', 'two']], {
      age: 2,
      annotations: { 'app-root': '/app' },
    });
    const output = translate([web(), other]);
    expect([on(output, '/'), on(output, '/?x'), on(output, '/a')]).toEqual([
      '302 http://shop.example.com/app',
      '302 http://shop.example.com/app',
      'web /a',
    ]);
    expect(on(output, '/', 'SHOP.example.com:80')).toBe('302 http://SHOP.example.com:80/app');
  });
});

describe('www', () => {
  const asking = { 'from-to-www-redirect': 'true' };

  it('sends the other name to that of the host, with the port and without the last slash', () => {
    const output = translate([web(asking)]);
    expect(on(output, '/a/', `www.${host}`)).toBe(`308 http://${host}:80/a`);
    expect(on(output, '/', `www.${host}`)).toBe(`308 http://${host}:80`);
    expect(on(output, '/a')).toBe('web /a');
  });

  it('and from the name without www. to the one with it', () => {
    const output = translate([nginxIngress('w', [['www.a.example', 'Prefix', '/', 'web']], { annotations: asking })]);
    expect(on(output, '/x?y', 'a.example')).toBe('308 http://www.a.example:80/x?y');
  });

  it('leaves a name alone that an Ingress has, and says so', () => {
    const own = nginxIngress('own', [[`www.${host}`, 'Prefix', '/', 'two']]);
    const output = translate([web(asking), own]);
    expect([on(output, '/', `www.${host}`), codes(output)]).toEqual(['two /', ['FW2016']]);
    expect(output.diagnostics[0]).toMatchObject({ object: { name: 'web' } });
  });
});

describe('server-alias', () => {
  it('is another name of the host, with all of its paths', () => {
    const output = translate([web({ 'server-alias': `alias.example,${host}` }, {}, ['/', '/p/'])]);
    expect(on(output, '/a', 'alias.example')).toBe('web /a');
    expect(on(output, '/p', 'Alias.example')).toBe('301 http://alias.example/p/');
    expect(codes(output)).toEqual([]);
  });

  it('gives way to the host of an Ingress, and to a redirect', () => {
    const own = nginxIngress('own', [['alias.example', 'Prefix', '/', 'two']]);
    const output = translate([web({ 'server-alias': 'alias.example' }), own]);
    expect([on(output, '/', 'alias.example'), codes(output)]).toEqual(['two /', ['FW2016']]);
    const www = nginxIngress('www', [['www.b.example', 'Prefix', '/', 'two']], { annotations: { 'from-to-www-redirect': 'true' } }); // biome-ignore format: one line
    const both = translate([web({ 'server-alias': 'b.example' }), www]);
    expect([on(both, '/', 'b.example'), codes(both)]).toEqual(['308 http://www.b.example:80', ['FW2016']]);
  });

  it('of two hosts that want a name, the first by its own name has it', () => {
    const later = nginxIngress('later', [['zzz.example', 'Prefix', '/', 'two']], { age: 0, annotations: { 'server-alias': 'x.example' } }); // biome-ignore format: one line
    const output = translate([web({ 'server-alias': 'x.example' }), later]);
    expect([on(output, '/', 'x.example'), codes(output)]).toEqual(['web /', ['FW2016']]);
  });

  it('is redirected to https only where the certificate is for it', () => {
    const output = translate([web({ 'server-alias': 'alias.example' }, { spec: tls('shop') })]);
    expect([on(output, '/'), on(output, '/', 'alias.example')]).toEqual(['308 https://shop.example.com', 'web /']);
  });

  it('what is wrong with a path is told once, however many names there are', () => {
    const lost = nginxIngress('lost', [['lost.example', 'Prefix', '/', 'gone']], {
      annotations: { 'server-alias': 'alias.example,other.example' },
    });
    expect(codes(translate([lost]))).toEqual(['FW2020']);
  });

  it('that begins with a dot is a name and all beneath it', () => {
    const output = translate([web({ 'server-alias': '.Alias.example' })]);
    for (const name of ['alias.example', 'a.alias.example', 'a.b.alias.example'])
      expect(on(output, '/', name)).toBe('web /');
    expect(codes(output)).toEqual([]);
  });

  it.each([
    [
      '~^WWW\\d+\\.(.*)$',
      /^~\^WWW\\d\+\\\.\(\.\*\)\$ cannot be an alias: hosts are found by name/,
      /\*\.shop\.example for all names beneath/,
    ],
    [
      'www.shop.*',
      /^www\.shop\.\* cannot be an alias: a star may stand only for what a name begins with/,
      /www\.shop\.test and so on/,
    ],
    ['www.*.example', /^www\.\*\.example cannot be an alias: /, /Mend what the message names/],
    ['10.0.0.1', /must be a DNS name, not an IP address/, /Mend what the message names/],
  ])('%s is left out, with a word that says what to write instead', (name, message, hint) => {
    const output = translate([web({ 'server-alias': `${name},alias.example` })]);
    expect(on(output, '/', 'alias.example')).toBe('web /');
    const [finding, ...others] = output.diagnostics;
    expect([finding?.code, finding?.fieldPath, others]).toEqual([
      ...['FW5502', 'metadata.annotations["nginx.ingress.kubernetes.io/server-alias"]', []],
    ]);
    expect(finding?.message).toMatch(message);
    expect(finding?.hint).toMatch(hint);
  });
});
