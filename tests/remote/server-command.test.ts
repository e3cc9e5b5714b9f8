import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandError } from '../../src/errors.ts';
import { Location } from '../../src/format/location.ts';
import { serverCommand, type ServerOptions } from '../../src/remote/server-command.ts';

const words = (location: string, options: ServerOptions = {}, env: Record<string, string> = {}) =>
  serverCommand(Location.parse(location), options, env).join(' ');

describe('serverCommand()', () => {
  it('names user, host and port as ssh takes them', () => {
    assert.equal(words('ssh://host/path'), 'ssh host borg serve');
    assert.equal(words('ssh://user@host:2222/path'), 'ssh -p 2222 user@host borg serve');
    assert.equal(words('user@host:path'), 'ssh user@host borg serve');
    assert.equal(words('ssh://[fe80::1]/path'), 'ssh fe80::1 borg serve');
  });

  it('takes the command that connects, and the program, from options before the environment', () => {
    const env = { BORG_RSH: "ssh -i 'my key'", BORG_REMOTE_PATH: 'borg1' };
    assert.deepEqual(serverCommand(Location.parse('host:p'), {}, env), [
      'ssh',
      '-i',
      'my key',
      'host',
      'borg1',
      'serve',
    ]);
    assert.equal(words('host:p', { rsh: 'rsh', remotePath: 'alcove' }, env), 'rsh host alcove serve');
  });

  it('passes on the log level, the topics about repositories, and the quota', () => {
    const debugTopics = ['repository.compaction', 'cache', 'x.repository'];
    assert.equal(
      words('host:p', { logLevel: 'debug', debugTopics, storageQuotaBytes: 5000 }),
      'ssh host borg serve --debug --debug-topic=repository.compaction --debug-topic=x.repository --storage-quota=5000',
    );
    assert.equal(
      words('host:p', { debugTopics: ['repository'] }),
      'ssh host borg serve --debug-topic=borg.debug.repository',
    );
    assert.equal(words('host:p', { logLevel: 'warning', storageQuotaBytes: 0 }), 'ssh host borg serve');
  });

  it('refuses a host that would be an option, and a command that does not end', () => {
    assert.throws(() => words('ssh://-oProxyCommand=reboot/path'), CommandError);
    assert.throws(() => words('-oProxyCommand=reboot:path'), CommandError);
    assert.throws(() => words('host:p', { rsh: "ssh 'x" }), CommandError);
  });
});
