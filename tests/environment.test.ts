/** docs/ENVIRONMENT.md names each variable of Borg, and says the truth of those that work. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(`${root}docs/ENVIRONMENT.md`, 'utf8');
const sources = globSync('src/**/*.ts', { cwd: root })
  .map((name) => readFileSync(`${root}${name}`, 'utf8'))
  .join('\n');

/** Of Borg 1.4.5's docs/usage/general/environment.rst.inc. */
const borgs =
  'BORG_BASE_DIR BORG_CACHE_DIR BORG_CHECK_I_KNOW_WHAT_I_AM_DOING BORG_CONFIG_DIR BORG_DELETE_I_KNOW_WHAT_I_AM_DOING BORG_DISPLAY_PASSPHRASE BORG_EXIT_CODES BORG_FILES_CACHE_SUFFIX BORG_FILES_CACHE_TTL BORG_FUSE_IMPL BORG_HOSTNAME BORG_HOST_ID BORG_KEYS_DIR BORG_KEY_FILE BORG_LIBLZ4_PREFIX BORG_LIBZSTD_PREFIX BORG_LOGGING_CONF BORG_MSGPACK_VERSION_CHECK BORG_NEW_PASSPHRASE BORG_OPENSSL_PREFIX BORG_PASSCOMMAND BORG_PASSPHRASE BORG_PASSPHRASE_FD BORG_RELOCATED_REPO_ACCESS_IS_OK BORG_REMOTE_PATH BORG_REPO BORG_RSH BORG_SECURITY_DIR BORG_SELFTEST BORG_SHOW_SYSINFO BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK BORG_USERNAME BORG_USE_CHUNKS_ARCHIVE BORG_WORKAROUNDS TMPDIR XDG_CACHE_HOME XDG_CONFIG_HOME'.split(
    ' ',
  );

const rows = [...page.matchAll(/^\| (`.*?) +\| (.*?) +\|$/gm)].map(([, names = '', text = '']) => ({
  names: [...names.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
  text,
}));
const named = new Set(rows.flatMap(({ names }) => names));

const isUsed = (name: string) => new RegExp(String.raw`env\??\.${name}\b|'${name}'`).test(sources);

describe('the list of variables', () => {
  for (const name of borgs) {
    it(`has ${name}`, () => assert.ok(named.has(name)));
  }

  for (const { names, text } of rows.filter((row) => row.text.startsWith('as in Borg'))) {
    for (const name of names) {
      it(`says truly that ${name} is "${text}"`, () => assert.ok(isUsed(name)));
    }
  }

  for (const { names, text } of rows.filter((row) => /^(?:has no effect|not yet)/.test(row.text))) {
    for (const name of names) {
      it(`says truly that ${name} is "${text}"`, () => assert.ok(!isUsed(name)));
    }
  }

  it('has all of the variables in the source', () => {
    const used = [...sources.matchAll(/env(?:\??\.|\[')(BORG_\w+)/g)].map((match) => match[1]!);
    assert.deepEqual(
      used.filter((name) => !named.has(name)),
      [],
    );
  });
});
