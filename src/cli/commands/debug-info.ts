import { reprText } from '../../platform/os-error.ts';
import { processIdentity } from '../../repository/process-identity.ts';
import { libraryCrc32 } from '../../util/crc32.ts';
import { defineCommand } from '../command.ts';
import type { CommonArgs } from '../options/common.ts';
import { systemInfo } from '../output/system-info.ts';

export const debugInfo = defineCommand<CommonArgs>({
  name: 'debug info',
  description: `
Prints what runs where, for reports of faults: the system, the versions of program and Node.js, how the program was started,
and how locks name it. With BORG_SHOW_SYSINFO=no only the last of these.`,
  positionals: [],
  options: [],
  examples: [{ command: 'alcove debug info', text: 'print it' }],

  async run(ctx) {
    const { host, pid, thread } = processIdentity(ctx).owner;
    const info = await systemInfo(ctx.io);
    const crc = libraryCrc32() === undefined ? 'zlib.crc32' : 'libdeflate';
    ctx.print(`${info === '' ? '' : `${info}\n`}\n`);
    ctx.print(`CRC implementation: ${crc}\nProcess ID: (${reprText(host)}, ${pid}, ${thread})\n`);
  },
});
