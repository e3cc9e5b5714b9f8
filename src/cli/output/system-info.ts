/** What runs where, for reports of faults. Source: Borg 1.4.5 helpers/misc.py, sysinfo. */
import { reprText } from '../../platform/os-error.ts';
import { systemFacts } from '../../platform/system.ts';
import type { CliIo } from '../io.ts';
import { BORG_VERSION, VERSION } from '../version.ts';

/** Lines without the last one's end; empty with BORG_SHOW_SYSINFO=no, for those who want to keep it to themselves. */
export async function systemInfo(io: CliIo): Promise<string> {
  if (io.env['BORG_SHOW_SYSINFO']?.toLowerCase() === 'no') return '';
  const { uname, distribution, nodeVersion, v8Version } = systemFacts();
  const { pid } = await io.identity();
  const sshCommand = io.env['SSH_ORIGINAL_COMMAND'];
  return [
    `Platform: ${uname.join(' ')}`,
    ...(distribution === undefined ? [] : [`Linux: ${distribution.join(' ').trimEnd()}`]),
    `Borg: ${BORG_VERSION}  alcove: ${VERSION}  Node: ${nodeVersion} V8: ${v8Version}`,
    `PID: ${pid}  CWD: ${io.cwd}`,
    `sys.argv: [${io.commandLine.map(reprText).join(', ')}]`,
    `SSH_ORIGINAL_COMMAND: ${sshCommand === undefined ? 'None' : reprText(sshCommand)}`,
  ].join('\n');
}
