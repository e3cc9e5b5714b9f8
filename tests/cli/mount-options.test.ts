import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMountOptions } from '../../src/cli/options/mount-options.ts';
import { GeneralError } from '../../src/errors.ts';

const DEFAULTS = {
  versions: false,
  allowDamagedFiles: false,
  uid: undefined,
  gid: undefined,
  umask: 0,
  allowRoot: false,
  source: 'borgfs',
  subtype: undefined,
  flags: ['ro', 'nosuid', 'nodev'],
  kernelOptions: ['default_permissions'],
  unknown: [],
};

describe('parseMountOptions()', () => {
  const parsed: [text: string | undefined, changed: Partial<Record<keyof typeof DEFAULTS, unknown>>][] = [
    [undefined, {}],
    ['', {}],
    ['versions,allow_damaged_files', { versions: true, allowDamagedFiles: true }],
    ['versions=no,allow_damaged_files=YES', { allowDamagedFiles: true }],
    ['ignore_permissions', { kernelOptions: [] }],
    ['uid=1000,gid=0,umask=0222', { uid: 1000, gid: 0, umask: 0o222 }],
    ['umask=27', { umask: 0o27 }],
    [
      'allow_other,max_read=65536',
      { kernelOptions: ['default_permissions', 'allow_other', 'max_read=65536'] },
    ],
    ['allow_root', { allowRoot: true, kernelOptions: ['default_permissions', 'allow_other'] }],
    ['rw,suid,dev,noexec,noatime', { flags: ['noexec', 'noatime'] }],
    ['noatime,atime,rw,ro', { flags: ['nosuid', 'nodev', 'ro'] }],
    [String.raw`fsname=a\,b,subtype=c`, { source: 'a,b', subtype: 'c' }],
    ['_netdev,noauto,user,x-systemd.automount,nonempty', {}],
    ['foo,versions,bar=1', { versions: true, unknown: ['foo', 'bar=1'] }],
    ['uid=1,uid=2', { uid: 1, unknown: ['uid=2'] }],
  ];
  for (const [text, changed] of parsed) {
    it(`knows ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseMountOptions(text), { ...DEFAULTS, ...changed });
    });
  }

  const wrong = ['uid=x', 'uid', 'uid=', 'gid=-1', 'uid=010', 'uid=4294967296', 'umask=9', 'versions=maybe'];
  for (const text of wrong) {
    it(`rejects ${text}`, () => {
      const word = text.includes('=') ? text : `${text}=`;
      assert.throws(
        () => parseMountOptions(text),
        new GeneralError([`unsupported value in option: ${word}`]),
      );
    });
  }
});
