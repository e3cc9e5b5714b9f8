import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlaceholderSource, replacePlaceholders } from '../../src/archive/placeholders.ts';
import { InvalidPlaceholder, PlaceholderError } from '../../src/errors.ts';

const source: PlaceholderSource = {
  env: {},
  pid: 4711,
  hostname: 'host',
  fqdn: 'host.example.org',
  user: 'anne',
  borgVersion: '1.4.5',
  nowNs: 1_700_000_000_123_456_789n,
  uuid: () => '6f5902ac-237e-4d3f-9b4f-6a2f0b8d7f33',
};

for (const [text, expected] of [
  ['plain', 'plain'],
  ['{hostname}-{user}-{pid}', 'host-anne-4711'],
  ['{reverse-fqdn}/{fqdn}', 'org.example.host/host.example.org'],
  ['{utcnow}', '2023-11-14T22:13:20'],
  ['{utcnow:%Y-%m-%d_%H%M%S.%f}', '2023-11-14_221320.123456'],
  ['{utcnow:%z %Z %j %V}', '+0000 UTC 318 46'],
  ['{unixtime}', '1700000000'],
  ['{borgversion} {borgmajor} {borgminor} {borgpatch}', '1.4.5 1 1.4 1.4.5'],
  ['{uuid4}', '6f5902ac-237e-4d3f-9b4f-6a2f0b8d7f33'],
  ['{{hostname}} {pid:>6} {hostname:<6}|', '{hostname}   4711 host  |'],
] as const) {
  test(`replacePlaceholders() makes ${expected} of ${text}`, () => {
    assert.equal(replacePlaceholders(text, source), expected);
  });
}

test('replacePlaceholders() lets the environment name host and user', () => {
  const env = { BORG_HOSTNAME: 'h', BORG_USERNAME: 'u' };
  assert.equal(replacePlaceholders('{user}@{hostname}', { ...source, env }), 'u@h');
});

for (const text of ['{nope}', '{hostname!r}', 'x{}{nope}']) {
  test(`replacePlaceholders() calls ${text} invalid`, () => {
    assert.throws(() => replacePlaceholders(text, source), InvalidPlaceholder);
  });
}

for (const text of ['{', 'a}b', '{hostname:d}', '{}', '{pid:q}']) {
  test(`replacePlaceholders() cannot format ${text}`, () => {
    assert.throws(
      () => replacePlaceholders(text, source),
      (error) => error instanceof PlaceholderError || error instanceof InvalidPlaceholder,
    );
  });
}
