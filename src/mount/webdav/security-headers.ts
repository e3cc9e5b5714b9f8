/**
 * What every answer tells a browser. Files of a backup may hold anything: none of them may run a script here, or read
 * others, or load something from elsewhere.
 */
import { sha256 } from '../../crypto/sha256.ts';
import { fromUtf8 } from '../../util/bytes.ts';

const ALWAYS = {
  'cache-control': 'private, no-cache',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const CONTENTS = `${NOTHING}; img-src data:; style-src 'unsafe-inline'`;

/** Chromium shows no PDF in a sandbox; its viewer gives the document no access to anything. */
const SHOWN_APART: readonly string[] = ['application/pdf'];

/** Of a file's contents. */
export function contentsHeaders(contentType: string): Record<string, string> {
  const policy = SHOWN_APART.includes(contentType) ? CONTENTS : `${CONTENTS}; sandbox`;
  return { ...ALWAYS, 'content-type': contentType, 'content-security-policy': policy };
}

/** Of a page of our own with this style sheet in it. */
export function pageHeaders(style: string): Record<string, string> {
  const hash = Buffer.from(sha256(fromUtf8(style))).toString('base64');
  const policy = `${NOTHING}; style-src 'sha256-${hash}'`;
  return { ...ALWAYS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
}

/** Of what no browser shows, and of messages. */
export function plainHeaders(contentType: string): Record<string, string> {
  return { ...ALWAYS, 'content-type': contentType, 'content-security-policy': NOTHING };
}
