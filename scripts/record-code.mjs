// Runs a command that was built into a folder, and adds what V8 compiles for it to what it has compiled before.
// Arguments: the folder, and those of the command.
import { chmodSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { encodeCode, runProgram } from '../bin/program.js';

const [folder] = process.argv.splice(2, 1);
const loaded = [];
process.on('exit', () => {
  // V8 takes code only under the flags that it was made with: those of the start (see src/platform/heap.ts).
  setFlagsFromString('--semi-space-growth-factor=2');
  for (const { filename, source, script } of loaded) {
    writeFileSync(`${filename}.code`, encodeCode(source, script.createCachedData()));
    // The command's own umask is for repositories.
    chmodSync(`${filename}.code`, 0o644);
  }
});
runProgram(pathToFileURL(`${folder}/`), (script) => loaded.push(script));
