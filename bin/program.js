// Runs the command's scripts in dist/command with the code that V8 made of them when they were built: a quarter of a short
// command's time is otherwise spent on compiling.

// By require(): importing one of Node's modules loads all that it could ever need.
const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
const { readFileSync } = require('node:fs');
const { fileURLToPath } = require('node:url');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

/** A multiple of what V8 wants its data aligned to. */
const TAG_BYTES = 128;

/** Runs main.cjs of what was built into a folder. `onScript` gets each script that is loaded, now or later. */
export function runProgram(folder, onScript) {
  const directory = fileURLToPath(folder);
  // Where the scripts take themselves to be: beside the files of threads.
  const moduleUrl = new URL('main.js', folder).href;
  const loaded = new Map();
  const load = (name) => {
    const module = { exports: {} };
    loaded.set(name, module);
    const filename = `${directory}command/${name}`;
    const source = readFileSync(filename);
    // All of it is ASCII. Code that V8 was told other flags for, it leaves alone.
    const script = new Script(source.latin1Slice(), { filename, cachedData: readCode(filename, source) });
    onScript?.({ filename, source, script });
    script.runInThisContext()(requireOwn, module, module.exports, moduleUrl);
    return module;
  };
  const requireOwn = (name) => {
    if (!name.startsWith('./')) return require(name);
    return (loaded.get(name.slice(2)) ?? load(name.slice(2))).exports;
  };
  requireOwn('./main.cjs');
}

/** Keeps what V8 made of a script beside it. */
export function encodeCode(source, code) {
  return Buffer.concat([Buffer.from(tagOf(source, code)), code]);
}

function readCode(filename, source) {
  let bytes;
  try {
    bytes = readFileSync(`${filename}.code`);
  } catch {
    return undefined;
  }
  const code = bytes.subarray(TAG_BYTES);
  return bytes.latin1Slice(0, TAG_BYTES) === tagOf(source, code) ? code : undefined;
}

/** What the code is good for, and that it is whole, of which V8 looks at little. */
function tagOf(source, code) {
  const { version, platform, arch } = process;
  return `${version} ${platform} ${arch} ${crc32(source)} ${crc32(code)}`.padEnd(TAG_BYTES);
}
