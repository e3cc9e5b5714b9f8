/** Connections that break at any point: the client says so and ends, and the repository is whole for both programs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALCOVE_SERVER } from '../remote/remote-place.ts';
import { noise } from '../noise.ts';
import { Workspace } from '../workspace.ts';

const RSH = fileURLToPath(new URL('../remote/breaking-ssh.mjs', import.meta.url));
const reference = process.env['ALCOVE_REFERENCE_BORG'] ?? '';
/** Bytes from the client after which the line breaks: in the greeting, in the data, around the commit. */
const BREAKS = [10, 60, 400, 20_000, 150_000, 1_000_000, 2_000_000];

for (const [name, server] of [
  ["the reference's server", reference],
  ["this project's server", ALCOVE_SERVER],
] as const) {
  describe(`a connection to ${name} that breaks`, () => {
    it('is an error with a code of its own, and costs nothing that was committed', () => {
      using space = new Workspace({
        BORG_RSH: RSH,
        BORG_REMOTE_PATH: server,
        BORG_EXIT_CODES: 'modern',
        BORG_SELFTEST: 'disabled',
      });
      const local = space.join('repository');
      const remote = `ssh://host${local}`;
      space.alcove(['init', '--encryption', 'repokey', remote]);
      for (const [number, bytes] of BREAKS.entries()) {
        writeFileSync(space.join('file'), noise(2_500_000, number));
        const { status, stderr } = space.alcove(['create', `${remote}::${number}`, 'file'], {
          env: { BREAK_AFTER_BYTES: String(bytes) },
          accept: [80, 81, 86, 87],
        });
        // Before it opens a repository, a server has words of its own for that.
        const lost = bytes < 100 ? /connection close/i : /Connection (?:closed by|to) remote host/;
        assert.match(stderr, lost, `${bytes}: ${status} ${stderr}`);
      }
      space.alcove(['create', `${remote}::whole`, 'file']);
      for (const program of [space.alcove, space.borg]) {
        program(['check', '--verify-data', local]);
        assert.equal(program(['list', '--short', remote]).stdout, 'whole\n');
      }
    });
  });
}
