// Writes the manual pages: `node scripts/write-manual.mjs BUNDLE DIRECTORY`, where BUNDLE is the folder that has the
// built manual-pages.js, and DIRECTORY gets a folder man1, as MANPATH wants it. SOURCE_DATE_EPOCH, if set, is their date.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [bundle = 'dist', directory = 'dist/man'] = process.argv.slice(2);
const { manualPages } = await import(pathToFileURL(resolve(bundle, 'manual-pages.js')).href);
const epoch = process.env.SOURCE_DATE_EPOCH;
const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);

const folder = join(directory, 'man1');
mkdirSync(folder, { recursive: true });
for (const { fileName, text } of await manualPages(date.toISOString().slice(0, 10))) {
  writeFileSync(join(folder, fileName), text);
}
