/** The controller's ConfigMap as values, and what is wrong with it. */
import { closestTo } from '../../../base/closest.ts';
import type { GlobalAuth, NginxConfig } from './config.ts';
import { compressionOf, configKeys, createDraft, everybody } from './keys.ts';
import { logFormatOf } from './log-format.ts';
import type { Draft } from './rows.ts';

type ConfigCode = 'FW5511' | 'FW5512' | 'FW5513' | 'FW5514' | 'FW5515' | 'FW5516';

/**
 * `FW5511`: it protects and cannot be honoured, and every location answers 503. `FW5512`: its value is none, and the
 * default holds. `FW5513`: it cannot be had. `FW5514`: there is nothing that it could change. `FW5515`: it is not known.
 * `FW5516`: it lets everybody say where they come from.
 */
export interface ConfigProblem {
  readonly code: ConfigCode;
  readonly key: string;
  readonly message: string;
}

export interface ConfigReading {
  readonly config: NginxConfig;
  readonly problems: readonly ConfigProblem[];
  /** ConfigMaps that were asked for, there or not. */
  readonly asked: readonly string[];
}

/** `find`: data of another ConfigMap by `namespace/name`. */
export function readNginxConfig(
  data: Readonly<Record<string, string>>,
  find: (key: string) => Readonly<Record<string, string>> | undefined,
): ConfigReading {
  const asked: string[] = [];
  const draft = createDraft((key) => {
    asked.push(key);
    return find(key);
  });
  const problems: ConfigProblem[] = [];
  for (const key of Object.keys(data).sort()) {
    const problem = readKey(draft, key, String(data[key]).trim());
    if (problem) problems.push(problem);
  }
  for (const { key, message } of draft.remarks) problems.push({ code: 'FW5513', key, message: `${key}: ${message}` });
  const credulous = credulousKey(draft);
  if (credulous) problems.push(credulous);
  return { config: finish(draft, problems), problems, asked };
}

function readKey(draft: Draft, key: string, text: string): ConfigProblem | undefined {
  const row = configKeys[key];
  if (!row) return unknown(key);
  // ingress-nginx takes an empty value for no value.
  if (text === '') return undefined;
  const { verdict, take, note, expected, protects } = row;
  if (!take) {
    return { code: verdict === 'ignored' ? 'FW5514' : 'FW5513', key, message: `${key} is not followed: ${note}` };
  }
  const outcome = take(draft, text);
  if (outcome === true) return undefined;
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  const message =
    outcome === false ? `${key} is ${JSON.stringify(shown)}; it must be ${expected}` : `${key}: ${outcome}`;
  return { code: protects ? 'FW5511' : 'FW5512', key, message };
}

/** It is about the service that `global-auth-url` names, and guards nothing without it. */
const isOfUrl = (key: string) => key.startsWith('global-auth-') && key !== 'global-auth-url';

/** As in ingress-nginx, who does not say which proxies to believe believes everybody. */
function credulousKey({ config, proxies }: Draft): ConfigProblem | undefined {
  if (proxies.cidrs !== everybody || !(config.useForwardedHeaders || proxies.realIp)) return undefined;
  const key = config.useForwardedHeaders ? 'use-forwarded-headers' : 'enable-real-ip';
  const message = `${key} without proxy-real-ip-cidr: every client can say what its address is, and lists of addresses keep nobody out who does`;
  return { code: 'FW5516', key, message };
}

function unknown(key: string): ConfigProblem {
  const meant = closestTo(key, Object.keys(configKeys));
  return { code: 'FW5515', key, message: `ingress-nginx has no key ${key}${meant ? `; ${meant} may be meant` : ''}` };
}

/** What follows from several keys together. A key that protects and cannot be honoured shuts every location. */
function finish(draft: Draft, problems: readonly ConfigProblem[]): NginxConfig {
  const { config, auth, proxies, log } = draft;
  const { url } = auth;
  const shutsAll = ({ code, key }: ConfigProblem) => {
    // Of the first, Ingresses have themselves left out.
    if (code !== 'FW5511' || (key === 'enable-modsecurity' && config.enableModsecurity)) return false;
    return url !== undefined || !isOfUrl(key);
  };
  const broken = problems.find(shutsAll)?.key;
  const compression = compressionOf(draft);
  const logFormat = logFormatOf(log, config.generateRequestId);
  const trusts = config.useForwardedHeaders || proxies.realIp;
  return {
    ...config,
    ...(url !== undefined && { globalAuth: { ...auth, url } satisfies GlobalAuth }),
    ...(compression && { compression }),
    ...(logFormat && { logFormat }),
    trustedProxies: trusts ? proxies.cidrs : [],
    ...(broken !== undefined && { broken }),
  };
}
