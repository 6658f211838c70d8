/** Whose Ingress is whose, and who has a host that Ingresses of both dialects claim. */
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/types/index.ts';
import { createTranslationCache } from '../incremental/cache.ts';
import { become, type IngressOptions, nginxIngress, serviceBackend, services, translateNginx } from '../ingress-nginx/testing.ts'; // biome-ignore format: one line
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { inputOf, storeOf } from './test-helpers.ts';
import { translateIngress } from './translate.ts';

const classOf = (name: string, controller: string, isDefault = false) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: {
    name,
    ...(isDefault && { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }),
  },
  spec: { controller },
});
const house = classOf('house', 'fairway.dev/ingress');
const all = [...services('one', 'two', 'fallback'), house];
const host = 'a.example';

const ingress = (name: string, className: string, age: number, path = '/', options: IngressOptions = {}) =>
  nginxIngress(name, [[host, 'Prefix', path, name]], { age, class: className, ...options });
const translate = (objects: readonly object[], changes: Partial<TranslateInput> = {}) =>
  translateNginx([...all, ...objects], changes);
const on = (output: TranslateOutput, target: string, name = host) => become({ output, host: name, target });
const codes = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);

describe('classes', () => {
  /** A sign of the dialect: nginx puts the slash there by itself. */
  const dialect = (objects: readonly object[], changes: Partial<TranslateInput> = {}) => on(translate(objects, changes), '/p').slice(0, 3); // biome-ignore format: one line
  const plain = (className: string, spec: object = {}) => ingress('one', className, 1, '/p/', { spec });
  const legacy = (name: string) => {
    const object = plain('') as { metadata: object; spec: object };
    const annotations = { 'kubernetes.io/ingress.class': name };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };

  it.each([
    ['the name nginx without an object', [plain('nginx')], '301'],
    ['the legacy annotation', [legacy('nginx')], '301'],
    ['the controller, by whatever name', [classOf('outside', 'k8s.io/ingress-nginx'), plain('outside')], '301'],
    ['as the default class', [classOf('outside', 'k8s.io/ingress-nginx', true), plain('')], '301'],
    ['the name nginx of another controller', [classOf('nginx', 'nginx.org/ingress-controller'), plain('nginx')], '404'],
    ['a class of Fairway', [plain('house')], 'one'],
    ['an unknown class', [plain('other')], '404'],
    ['no class', [plain('')], '404'],
  ])('%s', (_name, objects, expected) => {
    expect(dialect(objects)).toBe(expected);
  });

  it('as flags of ingress-nginx say', () => {
    const classes = classOf('inside', 'example.com/inside');
    expect(dialect([classes, plain('inside')], { ingressNginx: { controllerClass: 'example.com/inside' } })).toBe(
      '301',
    );
    expect(dialect([legacy('inside')], { ingressNginx: { ingressClass: 'inside' } })).toBe('301');
    expect(dialect([plain('nginx')], { ingressNginx: { ingressClass: 'inside' } })).toBe('404');
    expect(dialect([plain('')], { ingressNginx: { watchWithoutClass: true } })).toBe('301');
  });

  it('are served without being adopted, and show our address', () => {
    const output = translate([plain('nginx')]);
    expect([codes(output), output.statuses.length]).toEqual([[], 1]);
  });
});

describe('a host of both', () => {
  it('belongs to the oldest, and the other is told whose it is', () => {
    const objects = [ingress('two', 'house', 2, '/two'), ingress('one', 'nginx', 1, '/p/')];
    const output = translate(objects);
    expect([on(output, '/two'), on(output, '/p')]).toEqual(['404', '301 http://a.example/p/']);
    expect(output.diagnostics).toMatchObject([{ code: 'FW2015', object: { name: 'two' }, fieldPath: 'spec.rules[0]' }]);
    expect(output.diagnostics[0]!.message).toBe('host a.example is served as ingress-nginx would, for Ingress default/one came first; this Ingress is of fairway'); // biome-ignore format: one line
    const other = translate([ingress('two', 'house', 1, '/two/'), ingress('one', 'nginx', 2, '/p/')]);
    expect([on(other, '/two'), on(other, '/p')]).toEqual(['two /two', '404']);
    expect(other.diagnostics).toMatchObject([{ code: 'FW2015', object: { name: 'one' } }]);
  });

  it('is not one for a canary, which has no host of its own', () => {
    const canary = ingress('one', 'nginx', 1, '/', { annotations: { canary: 'true' } });
    const output = translate([canary, ingress('two', 'house', 2, '/two/')]);
    expect([on(output, '/two'), codes(output)]).toEqual(['two /two', ['FW2015']]);
  });

  it('requests for hosts without rules likewise', () => {
    const everyone = (name: string, className: string, age: number) =>
      nginxIngress(name, [], { age, class: className, spec: { defaultBackend: serviceBackend(name) } });
    const nginx = translate([everyone('one', 'nginx', 1), everyone('two', 'house', 2), ingress('fallback', 'house', 3, '/x')]); // biome-ignore format: one line
    expect([on(nginx, '/y', 'b.example'), on(nginx, '/y')]).toEqual(['one /y', '404']);
    expect(nginx.diagnostics).toMatchObject([{ code: 'FW2015', fieldPath: 'spec.defaultBackend' }]);
    const own = translate([everyone('one', 'nginx', 2), everyone('two', 'house', 1), ingress('fallback', 'house', 3, '/x')]); // biome-ignore format: one line
    expect([on(own, '/y', 'b.example'), on(own, '/y')]).toEqual(['two /y', 'two /y']);
    expect(codes(own)).toEqual(['FW2015']);
  });

  it('a default backend of Fairway is not for hosts of ingress-nginx', () => {
    const everyone = nginxIngress('two', [], {
      age: 1,
      class: 'house',
      spec: { defaultBackend: serviceBackend('two') },
    });
    const output = translate([everyone, ingress('one', 'nginx', 2, '/p')]);
    expect([on(output, '/x'), on(output, '/x', 'b.example')]).toEqual(['404', 'two /x']);
  });
});

it('a class that becomes another one takes its Ingresses along', () => {
  const store = storeOf([...all, classOf('house2', 'fairway.dev/ingress'), ingress('one', 'house2', 1, '/p/')] as Parameters<typeof storeOf>[0]); // biome-ignore format: one line
  const input = { ...inputOf(store), cache: createTranslationCache() };
  expect(on(translateIngress(input), '/p')).toBe('one /p');
  store.put('ingressclasses.networking.k8s.io', classOf('house2', 'k8s.io/ingress-nginx'));
  expect(on(translateIngress(input), '/p')).toBe('301 http://a.example/p/');
  store.put('ingressclasses.networking.k8s.io', classOf('house2', 'example.com/other'));
  expect(on(translateIngress(input), '/p')).toBe('404');
});

it('the default server of ingress-nginx comes and goes with its Ingresses', () => {
  const store = storeOf([...all, ingress('two', 'house', 1, '/x')] as Parameters<typeof storeOf>[0]);
  const input = { ...inputOf(store), cache: createTranslationCache() };
  const health = () => on(translateIngress(input), '/healthz', 'nobody.example');
  expect(health()).toBe('404');
  const hosts = () => translateIngress(input).listeners[0]!.hosts;
  store.put('ingresses.networking.k8s.io', nginxIngress('one', [['b.example', 'Prefix', '/', 'one']]) as KubeObject);
  expect(health()).toBe('200');
  expect(hosts()).toBe(hosts());
  store.remove('ingresses.networking.k8s.io', 'default/one');
  expect(health()).toBe('404');
  expect(hosts().map(({ hostname }) => hostname)).toEqual([host]);
});
