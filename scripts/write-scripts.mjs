// V8's code can be kept beside scripts, not beside modules: makes scripts for bin/program.js of the modules in a folder.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

export async function writeScripts(folder) {
  for (const name of readdirSync(folder)) {
    const module = join(folder, name);
    const { code } = await transform(readFileSync(module, 'utf8'), {
      format: 'cjs',
      platform: 'node',
      target: 'node24',
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': 'moduleUrl' },
      banner: '(function (require, module, exports, moduleUrl) {',
      footer: '})',
    });
    rmSync(module);
    const imports = /\brequire\("(\.\/[^"]+)\.js"\)/g;
    writeFileSync(module.replace(/js$/, 'cjs'), code.replace(imports, 'require("$1.cjs")'));
  }
}
