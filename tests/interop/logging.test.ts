/** BORG_LOGGING_CONF and the options that decide what is logged, given to both programs. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { comparable } from './comparable.ts';
import { Twins } from './twins.ts';

const base = `[formatters]
keys=f
[formatter_f]
format=%(levelname)-8s %(name)s: %(message)s
datefmt=
class=logging.Formatter
`;

const config = (sections: string) => `${base}${sections}`;

const toFile = config(`[loggers]
keys=root
[logger_root]
level=INFO
handlers=h
[handlers]
keys=h
[handler_h]
class=FileHandler
level=INFO
formatter=f
args=('log', 'w')
`);

const toStreams = config(`[loggers]
keys=root,list
[logger_root]
level=WARNING
handlers=err
[logger_list]
qualname=borg.output.list
handlers=out
propagate=0
[handlers]
keys=err,out
[handler_err]
class=StreamHandler
formatter=f
args=(sys.stderr,)
[handler_out]
class=logging.StreamHandler
formatter=f
args=(sys.stdout,)
`);

const commands = [
  'create --list REPO::one tree nothing',
  'create -v --stats --show-rc REPO::two tree',
  'create --debug --show-version REPO::three tree',
  'create REPO::one tree',
  'extract -n --list REPO::one',
  'list REPO',
  'delete --list REPO::two',
];

describe('BORG_LOGGING_CONF', () => {
  const twins = new Twins();
  before(async () => {
    mkdirSync(join(twins.shared, 'tree'));
    writeFileSync(join(twins.shared, 'tree/a'), 'a');
    for (const [name, text] of Object.entries({ toFile, toStreams })) {
      twins.each((folder) => writeFileSync(join(folder, name), text));
    }
    for (const side of ['alcove', 'borg'] as const) {
      await twins.runOne(side, { args: 'init -e repokey REPO' });
    }
  });
  after(() => twins[Symbol.dispose]());

  const options = { folders: [twins.folder('alcove'), twins.folder('borg')], ownArchives: true };

  for (const name of ['toFile', 'toStreams']) {
    for (const args of commands) {
      it(`${name}: ${args} logs the same to the same places`, async () => {
        const outcomes = await Promise.all(
          (['alcove', 'borg'] as const).map(async (side) => {
            const folder = twins.folder(side);
            const env = { BORG_LOGGING_CONF: join(folder, name) };
            const tree = args.replace('tree', join(twins.shared, 'tree'));
            const outcome = await twins.runOne(side, { args: tree, env, ownFolder: '.' });
            const log = name === 'toFile' ? readFileSync(join(folder, 'log'), 'latin1') : '';
            rmSync(join(folder, 'log'), { force: true });
            return comparable({ ...outcome, stdout: `${outcome.stdout}${withoutDebug(log)}` }, options);
          }),
        );
        assert.deepEqual(outcomes[0], outcomes[1]);
      });
    }
  }

  it('that cannot be used is named, and logs go to stderr', async () => {
    const path = join(twins.shared, 'damaged');
    writeFileSync(path, toFile.replace('class=FileHandler', 'class=NoSuchHandler'));
    const missing = join(twins.shared, 'missing');
    for (const file of [path, missing]) {
      const { alcove, borg } = await twins.run({
        args: 'create --list REPO::one tree',
        env: { BORG_LOGGING_CONF: file },
      });
      const [first = '', ...rest] = alcove.stderr.split('\n');
      const [theirs = '', ...others] = borg.stderr.split('\n');
      assert.equal(alcove.status, borg.status);
      assert.deepEqual(rest, others);
      const begin = `setup_logging for "${file}" failed with "`;
      assert.ok(first.startsWith(begin) && theirs.startsWith(begin), `${first}\n${theirs}`);
      if (file === missing) assert.equal(first, theirs);
      else assert.match(first, /\[handler_h\] class: cannot use NoSuchHandler/);
    }
  });
});

/** What helps to find a fault in one program says nothing of the other. */
const withoutDebug = (log: string): string => log.replaceAll(/^DEBUG .*\n/gm, '');
