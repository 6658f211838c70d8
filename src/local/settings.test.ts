import { expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { ConfigMap } from '../kube/types/index.ts';
import { readSettings, type Settings, settingsObject } from './settings.ts';

const settings: Settings = {
  ...{ adopt: true, clusterDomain: 'cluster.local', ingressAddress: '127.0.0.2', dnsAddress: '127.0.0.3' },
  ...{ nodeResolvConf: 'nameserver 192.0.2.1\n', ingressNginx: { sslPassthrough: true, configMap: 'a/b' } },
};

function read(change: Record<string, string> = {}) {
  const store = createStore();
  const object = settingsObject(settings);
  store.put('configmaps', { ...object, data: { ...object.data, ...change } } as ConfigMap);
  return readSettings(store);
}

it('are read as they were written, and absent where nobody wrote any', () => {
  expect(read()).toEqual(settings);
  expect(readSettings(createStore())).toBeUndefined();
});

it.each(['{', '7', 'null', '"x"'])('are without flags of ingress-nginx where these are %s', (text) => {
  const { ingressNginx: _flags, ...rest } = settings;
  expect(read({ 'ingress-nginx': text })).toEqual(rest);
});
