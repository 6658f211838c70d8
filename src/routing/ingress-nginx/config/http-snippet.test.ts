/** What of an http-snippet is left out with a word, and what shuts every location. */
import { describe, expect, it } from 'vitest';
import { maxSnippetLength } from '../snippets/parse.ts';
import { readNginxConfig } from './read.ts';

function read(text: string) {
  const { config, problems } = readNginxConfig({ 'http-snippet': text }, () => undefined);
  return { broken: config.broken, told: problems.map(({ code, message }) => `${code} ${message}`) };
}

const longMap = `map $http_user_agent $bot { ${'"~*spider" 1; '.repeat(maxSnippetLength / 10)} }`;

describe('an http-snippet', () => {
  it.each([
    'log_format upstream escape=json \'{"uri": "$uri"}\';',
    'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
    'geo $inside { default 0; 10.0.0.0/8 1; }',
    longMap,
    'proxy_cache_path /tmp/c levels=1:2 keys_zone=c:10m; proxy_cache_valid 200 1m;',
    'limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;',
    'add_header X-A "b" always; more_clear_headers Server;',
    'upstream other { server 10.0.0.1:80; keepalive 8; }',
    'server { listen 18080; location /status { allow 127.0.0.1; deny all; stub_status; } }',
    'server { listen [::]:8080 proxy_protocol; listen 0.0.0.0:8080; return 301 https://$host$request_uri; }',
    '# of old\nclient_max_body_size 8m;',
  ])('that keeps nobody out is left out with a word: %.60s', (text) => {
    const { broken, told } = read(text);
    expect(broken).toBeUndefined();
    expect(told).toEqual([expect.stringMatching(/^FW5513 http-snippet: nothing of it is followed/)]);
  });

  it.each([
    ['allow 10.0.0.0/8;\ndeny all;', /line 1: allow: it keeps requests out.*whitelist-source-range/],
    ['gzip on;\ndeny 192.0.2.1;', /line 2: deny: it keeps requests out/],
    ['auth_basic "x";', /auth-type and auth-secret/],
    ['auth_request /ask;', /global-auth-url/],
    ['limit_req zone=one;', /limit-rps/],
    ['limit_conn one 10;', /limit-connections/],
    ['ssl_verify_client on;', /auth-tls-secret/],
    ['set_real_ip_from 0.0.0.0/0;', /proxy-real-ip-cidr/],
    ['satisfy any;', /satisfy: it is not known to keep nobody out/],
    ['modsecurity on;', /modsecurity: it is not known/],
    ['more_set_input_headers "X-User: ";', /more_set_input_headers: it is not known/],
    ['include /etc/nginx/guards/*.conf;', /include: it is not known/],
    ['proxy_cachet on;', /proxy_cachet: it is not known/],
    ['server { server_name admin.example.com; return 403; }', /server: a server on port 80 or 443/],
    ['server { listen 8080; listen 443 ssl; }', /server: a server on port 80 or 443/],
    ['server { listen 10.0.0.1; }', /server: a server on port 80 or 443/],
    ['access_by_lua_block { ngx.exit(403) }', /Lua is not run/],
    ['map $a $b {', /the block of map is not closed/],
  ])('that may keep requests out shuts everything: %s', (text, why) => {
    const { broken, told } = read(text);
    expect(broken).toBe('http-snippet');
    expect(told).toEqual([expect.stringMatching(/^FW5511 http-snippet: line /)]);
    expect(told[0]).toMatch(why);
  });

  it('of comments alone says nothing', () => {
    expect(read('# nothing yet')).toEqual({ broken: undefined, told: [] });
  });
});
