import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  evaluatePreconditions,
  formatHttpDate,
  parseHttpDate,
  rangeApplies,
} from '../../../src/mount/webdav/preconditions.ts';

const modifiedS = 1_600_000_000;
const now = { etag: '"x"', modifiedS };
const date = 'Sun, 13 Sep 2020 12:26:40 GMT';
const earlier = 'Sun, 13 Sep 2020 12:26:39 GMT';

describe('evaluatePreconditions()', () => {
  const rows: [Record<string, string>, 304 | 412 | undefined][] = [
    [{}, undefined],
    [{ 'if-none-match': '"x"' }, 304],
    [{ 'if-none-match': 'W/"x"' }, 304],
    [{ 'if-none-match': '"y", "x"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"y"' }, undefined],
    [{ 'if-none-match': 'x' }, undefined],
    [{ 'if-none-match': '"y"', 'if-modified-since': date }, undefined],
    [{ 'if-modified-since': date }, 304],
    [{ 'if-modified-since': earlier }, undefined],
    [{ 'if-modified-since': 'yesterday' }, undefined],
    [{ 'if-match': '"x"' }, undefined],
    [{ 'if-match': 'W/"x"' }, 412],
    [{ 'if-match': '"y"' }, 412],
    [{ 'if-match': '"x"', 'if-unmodified-since': earlier }, undefined],
    [{ 'if-unmodified-since': earlier }, 412],
    [{ 'if-unmodified-since': date }, undefined],
  ];
  for (const [headers, status] of rows) {
    it(`answers ${JSON.stringify(headers)} by ${status ?? 'going on'}`, () =>
      assert.equal(evaluatePreconditions('GET', headers, now), status));
  }

  it('has no "not modified" for methods that do not read', () => {
    assert.equal(evaluatePreconditions('PROPFIND', { 'if-none-match': '"x"' }, now), 412);
    assert.equal(evaluatePreconditions('PROPFIND', { 'if-modified-since': date }, now), undefined);
  });
});

it('rangeApplies() compares strongly', () => {
  for (const [field, applies] of [
    [undefined, true],
    ['"x"', true],
    ['W/"x"', false],
    ['"y"', false],
    [date, true],
    [earlier, false],
    ['nonsense', false],
  ] as const) {
    assert.equal(rangeApplies(field, now), applies, field);
  }
});

describe('dates of HTTP', () => {
  it('go there and back', () => {
    for (const seconds of [0, modifiedS, -86400 * 365 * 100, 253402300799]) {
      assert.equal(parseHttpDate(formatHttpDate(seconds)), seconds);
    }
  });

  it('are also read in the oldest form', () => {
    assert.equal(parseHttpDate('Sunday, 13-Sep-20 12:26:40 GMT'), modifiedS);
  });

  it('end where the calendar does', () => {
    assert.equal(formatHttpDate(253402300800), undefined);
    assert.equal(parseHttpDate('Sun, 99 Foo 2020 12:26:40 GMT'), undefined);
  });
});
