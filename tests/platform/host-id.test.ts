import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import {
  type HostFacts,
  getHostId,
  isOwnHost,
  localPidAlive,
  processAlive,
  processIdentity,
} from '../../src/platform/host-id.ts';
import { getFqdn, getHostname, getUserName } from '../../src/platform/host-name.ts';

const LOCAL = 0x02_42_ac_11_00_02n;
const UNIVERSAL = 0x52_54_00_12_34_56n & ~(1n << 41n);

function facts(...cards: [address: bigint, hasIpv4: boolean][]): HostFacts {
  return {
    fqdn: 'host.example',
    // The order of a folder's names says nothing.
    cards: cards.map(([address, hasIpv4], index) => ({ index: index + 1, address, hasIpv4 })).toReversed(),
    machineId: 'f00d',
  };
}

describe('getHostId()', () => {
  it('is BORG_HOST_ID where that is set', () => {
    assert.equal(getHostId({ BORG_HOST_ID: 'mine' }, facts([LOCAL, true])), 'mine');
    assert.equal(getHostId({ BORG_HOST_ID: '' }, facts([LOCAL, true])), `host.example@${LOCAL}`);
  });

  it("prefers the first address that is a manufacturer's", () => {
    const cards = facts([0n, false], [LOCAL, true], [UNIVERSAL, false], [UNIVERSAL + 1n, true]);
    assert.equal(getHostId({}, cards), `host.example@${UNIVERSAL}`);
  });

  it('takes the first address of all else', () => {
    assert.equal(getHostId({}, facts([LOCAL, false], [LOCAL + 1n, true])), `host.example@${LOCAL}`);
  });

  it('stays the same without a card, and differs from machine to machine', () => {
    const id = getHostId({}, facts());
    assert.equal(getHostId({}, facts([0n, true])), id);
    assert.notEqual(getHostId({}, { ...facts(), machineId: 'other' }), id);
    const node = BigInt(id.replace('host.example@', ''));
    assert.ok(node < 1n << 48n);
    assert.equal((node >> 40n) & 1n, 1n, 'could be the address of a card');
  });

  it('is of this machine, and the same each time', () => {
    assert.match(getHostId({}), /^[^@]+@\d+$/);
    assert.equal(getHostId({}), getHostId({}));
    assert.ok(getHostId({}).startsWith(getFqdn()));
  });
});

describe('isOwnHost()', () => {
  it('knows both ids that a Borg on this host may have', () => {
    const cards = facts([UNIVERSAL, false], [LOCAL, true], [LOCAL + 1n, true]);
    assert.ok(isOwnHost(`host.example@${UNIVERSAL}`, {}, cards));
    assert.ok(isOwnHost(`host.example@${LOCAL}`, {}, cards));
    assert.ok(!isOwnHost(`host.example@${LOCAL + 1n}`, {}, cards));
    assert.ok(!isOwnHost(`other.example@${LOCAL}`, {}, cards));
    assert.ok(!isOwnHost('host.example@0', {}, facts([0n, true])));
  });

  it('knows nothing else where BORG_HOST_ID is set', () => {
    const cards = facts([LOCAL, true]);
    assert.ok(isOwnHost('mine', { BORG_HOST_ID: 'mine' }, cards));
    assert.ok(!isOwnHost(`host.example@${LOCAL}`, { BORG_HOST_ID: 'mine' }, cards));
  });
});

describe('processAlive()', () => {
  it('is true of this process and of the first one, which is not ours to signal', () => {
    const self = processIdentity({});
    assert.equal(self.pid, process.pid);
    assert.equal(self.thread, 0);
    assert.ok(processAlive(self, {}));
    assert.ok(localPidAlive(1));
  });

  it('is false only of a dead process of this host', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    const dead = { ...processIdentity({}), pid: child.pid! };
    assert.equal(processAlive(dead, {}), false);
    assert.equal(processAlive(dead, { BORG_HOSTNAME_IS_UNIQUE: 'no' }), true);
    assert.equal(processAlive(dead, { BORG_HOSTNAME_IS_UNIQUE: 'yes' }), false);
    assert.equal(processAlive({ ...dead, host: 'elsewhere@1' }, {}), true);
    assert.equal(processAlive({ ...dead, thread: 1 }, {}), true);
    assert.equal(processAlive(dead, { BORG_HOST_ID: 'mine' }), true);
    assert.equal(processAlive({ ...dead, host: 'mine' }, { BORG_HOST_ID: 'mine' }), false);
  });
});

describe('host-name.ts', () => {
  it('getHostname() is the short name', () => {
    assert.equal(getHostname(), hostname().split('.')[0]);
  });

  it('getFqdn() asks the resolver, and keeps a name that it does not know', () => {
    assert.equal(getFqdn('no such host.invalid'), 'no such host.invalid');
    assert.match(getFqdn('localhost'), /^localhost/);
    assert.ok(getFqdn().length > 0);
  });

  it('getUserName() names the user', () => {
    if (process.getuid!() === 0) assert.equal(getUserName(), 'root');
    else assert.ok(getUserName().length > 0);
  });
});
