import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, it } from 'node:test';
import {
  isCacheDirectory,
  openDirectory,
  openRead,
  closeFile,
  readLink,
} from '../../src/platform/open-file.ts';
import { asNobody, scratchFolder } from './scratch.ts';

const at = scratchFolder('open');
const bytes = (text: string) => Buffer.from(text);

describe('openRead()', () => {
  writeFileSync(at('file'), 'content');
  symlinkSync('file', at('link'));
  mkdirSync(at('sub'));
  writeFileSync(at('sub/inner'), 'inner');
  symlinkSync('sub', at('sublink'));

  it('gives a descriptor that node:fs reads, closed on exec', () => {
    const fd = openRead(bytes(at('file')));
    assert.equal(readFileSync(fd, 'utf8'), 'content');
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!;
    assert.equal(Number.parseInt(flags, 8) & 0o2000000, 0o2000000);
    closeFile(fd);
    assert.throws(() => closeFile(fd), { code: 'EBADF' });
  });

  it('refuses a symlink, or follows it if told', () => {
    assert.throws(() => openRead(at('link')), { code: 'ELOOP', path: at('link') });
    const fd = openRead(at('link'), { noFollow: false });
    assert.equal(readFileSync(fd, 'utf8'), 'content');
    closeFile(fd);
  });

  it('does not wait for the other end of a fifo', () => {
    execFileSync('mkfifo', [at('fifo')]);
    const fd = openRead(at('fifo'));
    assert.equal(readSync(fd, Buffer.alloc(1)), 0);
    closeFile(fd);
  });

  it('looks a name up in the open folder, even after the folder was swapped for a symlink', () => {
    const directoryFd = openDirectory(at('sub'));
    renameSync(at('sub'), at('moved'));
    symlinkSync('/etc', at('sub'));
    const fd = openRead(at('sub/inner'), {}, { directoryFd, name: bytes('inner') });
    assert.equal(readFileSync(fd, 'utf8'), 'inner');
    closeFile(fd);
    closeFile(directoryFd);
  });

  it('leaves the access time alone with noAtime', () => {
    // Relatime updates the access time of a file that was modified since.
    utimesSync(at('file'), 1000, 2000);
    const fd = openRead(at('file'), { noAtime: true });
    assert.equal(readFileSync(fd, 'utf8'), 'content');
    closeFile(fd);
    assert.equal(statSync(at('file')).atimeMs, 1_000_000);
  });

  it("opens another user's file without noAtime where that is not permitted", (t) => {
    const found = asNobody(
      ['platform/open-file.ts'],
      `const fd = openRead('/etc/passwd', { noAtime: true });
       return [typeof fd, typeof openDirectory('/etc')];`,
    );
    if (found === undefined) return t.skip('the user nobody cannot reach the source tree');
    assert.deepEqual(found, ['number', 'number']);
  });
});

describe('openDirectory()', () => {
  it('refuses files and symlinks', () => {
    writeFileSync(at('plain'), '');
    assert.throws(() => openDirectory(at('plain')), { code: 'ENOTDIR' });
    symlinkSync('/', at('root'));
    assert.throws(() => openDirectory(at('root')), { code: 'ENOTDIR' });
  });
});

describe('readLink()', () => {
  it('gives bytes, also long ones, also from an open folder', () => {
    const targets = [bytes('x'), Buffer.from([0x2f, 0xff, 0x80, 0x0a]), bytes('long/'.repeat(700))];
    const directoryFd = openDirectory(at());
    for (const [index, target] of targets.entries()) {
      symlinkSync(target, at(`l${index}`));
      assert.deepEqual(Buffer.from(readLink(at(`l${index}`))), target);
      assert.deepEqual(Buffer.from(readLink('x', { directoryFd, name: bytes(`l${index}`) })), target);
    }
    assert.throws(() => readLink(at()), { code: 'EINVAL' });
  });
});

describe('isCacheDirectory()', () => {
  it('believes only the whole signature', () => {
    const signature = 'Signature: 8a477f597d28d172789f06886806bc55';
    for (const [name, content, expected] of [
      ['tagged', `${signature}\n# of something`, true],
      ['bare', signature, true],
      ['short', signature.slice(0, -1), false],
      ['other', signature.replace('8a', '8b'), false],
      ['empty', '', false],
    ] as const) {
      mkdirSync(at(name));
      writeFileSync(at(`${name}/CACHEDIR.TAG`), content);
      assert.equal(isCacheDirectory(openDirectory(at(name))), expected, name);
    }
    mkdirSync(at('untagged'));
    assert.equal(isCacheDirectory(openDirectory(at('untagged'))), false);
    mkdirSync(at('untagged/CACHEDIR.TAG'));
    assert.equal(isCacheDirectory(openDirectory(at('untagged'))), false);
  });
});
