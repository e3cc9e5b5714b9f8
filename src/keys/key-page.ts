/** A page to print with a key on it: as a QR code of the keyfile, and as lines to type in. */
import { fromUtf8 } from '../util/bytes.ts';

export interface KeyPageContent {
  readonly repositoryIdHex: string;
  /** As `exportKey` gives it. */
  readonly keyfile: string;
  /** As `encodePaperKey` gives it. */
  readonly paperKey: string;
}

const STYLE = `
body { font-family: sans-serif; max-width: 46em; margin: 1em auto; padding: 0 1em; color: #000; background: #fff; }
h1 { font-size: 1.3em; }
pre { font-size: 0.95em; overflow-x: auto; }
dt { font-weight: bold; }
dd { margin: 0 0 0.4em; overflow-wrap: anywhere; font-family: monospace; }
.blank { border-bottom: 1px solid #000; min-height: 1.6em; }
figure { margin: 1em 0; break-inside: avoid; }
svg { display: block; width: 11cm; max-width: 100%; background: #fff; }
section { break-inside: avoid; }
`;

/** One HTML document that needs nothing else and runs nothing. */
export async function encodeKeyPage({ repositoryIdHex, keyfile, paperKey }: KeyPageContent): Promise<string> {
  // Only who prints a page pays for the library.
  const { encodeQR } = await import('qr');
  const code = encodeQR(keyfile, 'svg', { ecc: errorCorrection(keyfile), encoding: 'byte' });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Key of the repository ${escape(repositoryIdHex.slice(0, 8))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Key of a Borg repository</h1>
<dl>
<dt>Repository id</dt><dd>${escape(repositoryIdHex)}</dd>
<dt>Where the repository is</dt><dd class="blank"></dd>
<dt>Date, notes</dt><dd class="blank"></dd>
</dl>
<p>Restoring from the repository takes this key and its passphrase. Keep the page away from the passphrase, and do not
leave it in a printer, in a browser's history or on a disk.</p>
<section>
<h2>To scan</h2>
<p>The code contains a text. Save it in a file, and run: <code>borg key import REPOSITORY FILE</code></p>
<figure>${code}</figure>
</section>
<section>
<h2>To type in</h2>
<p>Run <code>borg key import --paper REPOSITORY</code>, and type in what stands behind each colon. Each line is checked.</p>
<pre>${escape(paperKey)}</pre>
</section>
</body>
</html>
`;
}

/** More of a large code would make its dots too fine for a camera. */
function errorCorrection(text: string): 'low' | 'medium' {
  return fromUtf8(text).length > 1200 ? 'low' : 'medium';
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
