import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  archiveLocalTime,
  formatIsoTime,
  formatTime,
  itemLocalTime,
  localTime,
  utcTime,
} from '../../src/util/wall-time.ts';

before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

/** ns since 1970, for people, ISO 8601. */
const itemTimes: readonly (readonly [string, string, string])[] = [
  ['0', 'Thu, 1970-01-01 01:00:00', '1970-01-01T01:00:00.000000'],
  ['1', 'Thu, 1970-01-01 01:00:00', '1970-01-01T01:00:00.000000'],
  ['-5', 'Thu, 1970-01-01 01:00:00', '1970-01-01T01:00:00.000000'],
  ['1234567890123456789', 'Sat, 2009-02-14 00:31:30', '2009-02-14T00:31:30.123457'],
  ['1700000000999999500', 'Tue, 2023-11-14 23:13:21', '2023-11-14T23:13:21.000000'],
  ['1700000000000000500', 'Tue, 2023-11-14 23:13:20', '2023-11-14T23:13:20.000000'],
  ['1711846800000000000', 'Sun, 2024-03-31 03:00:00', '2024-03-31T03:00:00.000000'],
  ['9223372036854775807', 'Sun, 2038-01-17 04:14:07', '2038-01-17T04:14:07.000000'],
  ['1698541200000000000', 'Sun, 2023-10-29 02:00:00', '2023-10-29T02:00:00.000000'],
];

for (const [ns, human, iso] of itemTimes) {
  test(`itemLocalTime() takes ${ns} for ${human}`, () => {
    const time = itemLocalTime(BigInt(ns));
    assert.equal(formatTime(time), human);
    assert.equal(formatIsoTime(time), iso);
  });
}

/** Microseconds since 1970, format, the result in UTC, and for an archive's time. */
const formats: readonly (readonly [string, string, string, string])[] = [
  ['1709219045006789', '%a %A %b %B %h', 'Thu Thursday Feb February Feb', 'Thu Thursday Feb February Feb'],
  ['1709219045006789', '%c', 'Thu Feb 29 15:04:05 2024', 'Thu Feb 29 16:04:05 2024'],
  ['1709219045006789', '%C %d %D %e|%F', '20 29 02/29/24 29|2024-02-29', '20 29 02/29/24 29|2024-02-29'],
  ['1709219045006789', '%g %G %V %u %w %U %W', '24 2024 09 4 4 08 09', '24 2024 09 4 4 08 09'],
  ['1709219045006789', '%H %I %j %k|%l|', '15 03 060 15| 3|', '16 04 060 16| 4|'],
  ['1709219045006789', '%m %M %n%p %P', '02 04 \nPM pm', '02 04 \nPM pm'],
  ['1709219045006789', '%r %R %s %S', '03:04:05 PM 15:04 1709215445 05', '04:04:05 PM 16:04 1709219045 05'],
  ['1709219045006789', '%T%t%x %X', '15:04:05\t02/29/24 15:04:05', '16:04:05\t02/29/24 16:04:05'],
  ['1709219045006789', '%y %Y %z %Z %%', '24 2024 +0000 UTC %', '24 2024   %'],
  ['1709219045006789', '%f', '006789', '000000'],
  ['1709219045006789', '%:z', '+00:00', ''],
  ['1709219045006789', '%-d %-m %_H %_d|%0e %^a', '29 2 15 29|29 THU', '29 2 16 29|29 THU'],
  ['1709219045006789', '%5Y|%3d|%E|%q', '02024|029|%E|%q', '02024|029|%E|%q'],
  ['1609633800000000', '%a %A %b %B %h', 'Sun Sunday Jan January Jan', 'Sun Sunday Jan January Jan'],
  ['1609633800000000', '%c', 'Sun Jan  3 00:30:00 2021', 'Sun Jan  3 01:30:00 2021'],
  ['1609633800000000', '%C %d %D %e|%F', '20 03 01/03/21  3|2021-01-03', '20 03 01/03/21  3|2021-01-03'],
  ['1609633800000000', '%g %G %V %u %w %U %W', '20 2020 53 7 0 01 00', '20 2020 53 7 0 01 00'],
  ['1609633800000000', '%H %I %j %k|%l|', '00 12 003  0|12|', '01 01 003  1| 1|'],
  ['1609633800000000', '%m %M %n%p %P', '01 30 \nAM am', '01 30 \nAM am'],
  ['1609633800000000', '%r %R %s %S', '12:30:00 AM 00:30 1609630200 00', '01:30:00 AM 01:30 1609633800 00'],
  ['1609633800000000', '%T%t%x %X', '00:30:00\t01/03/21 00:30:00', '01:30:00\t01/03/21 01:30:00'],
  ['1609633800000000', '%y %Y %z %Z %%', '21 2021 +0000 UTC %', '21 2021   %'],
  ['1609633800000000', '%f', '000000', '000000'],
  ['1609633800000000', '%:z', '+00:00', ''],
  ['1609633800000000', '%-d %-m %_H %_d|%0e %^a', '3 1  0  3|03 SUN', '3 1  1  3|03 SUN'],
  ['1609633800000000', '%5Y|%3d|%E|%q', '02021|003|%E|%q', '02021|003|%E|%q'],
];

for (const [us, format, utc, local] of formats) {
  test(`formatTime() of ${us} by ${format}`, () => {
    assert.equal(formatTime(utcTime(BigInt(us)), format), utc);
    assert.equal(formatTime(archiveLocalTime(BigInt(us)), format), local);
  });
}

test('localTime() knows its zone if asked', () => {
  const summer = localTime(1_720_000_000_000_000n, true);
  assert.equal(formatTime(summer, '%H:%M %z %:z %Z'), '11:46 +0200 +02:00 CEST');
  assert.equal(formatTime(localTime(1_720_000_000_000_000n), '%z%Z'), '');
});
