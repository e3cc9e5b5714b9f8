/**
 * The answer to PROPFIND.
 *
 * Source: RFC 4918, sections 9.1, 13 and 14.16.
 */
import { escapeXml } from './markup.ts';
import { APACHE_NAMESPACE, propertyOf, type PropertySource, properties } from './properties.ts';
import { DAV_NAMESPACE, type PropertyName, type PropfindRequest } from './propfind-request.ts';
import type { Resource } from './resource.ts';

export const MULTISTATUS_START =
  `<?xml version="1.0" encoding="utf-8"?>\n` +
  `<D:multistatus xmlns:D="${DAV_NAMESPACE}" xmlns:A="${APACHE_NAMESPACE}">\n`;
export const MULTISTATUS_END = '</D:multistatus>\n';

/** Why a walk through everything is refused. */
export const FINITE_DEPTH_ONLY =
  `<?xml version="1.0" encoding="utf-8"?>\n` +
  `<D:error xmlns:D="${DAV_NAMESPACE}"><D:propfind-finite-depth/></D:error>\n`;

/** The element of one resource. */
export function formatResponse(resource: Resource, request: PropfindRequest, source: PropertySource): string {
  const found: string[] = [];
  const missing: string[] = [];
  for (const property of wantedOf(request)) {
    const value = propertyOf(property)?.value(resource, source);
    if (value === undefined) missing.push(element(property, ''));
    else found.push(element(property, request.kind === 'names' ? '' : value));
  }
  const stats = [];
  if (found.length > 0 || request.kind !== 'some' || missing.length === 0)
    stats.push(propstat(found, '200 OK'));
  // Only who asked for a property by its name is told that there is none.
  if (missing.length > 0 && request.kind === 'some') stats.push(propstat(missing, '404 Not Found'));
  return `<D:response><D:href>${escapeXml(resource.href)}</D:href>${stats.join('')}</D:response>\n`;
}

function wantedOf(request: PropfindRequest): readonly PropertyName[] {
  if (request.kind === 'some') return request.names;
  return properties;
}

function propstat(elements: readonly string[], status: string): string {
  return `<D:propstat><D:prop>${elements.join('')}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;
}

const PREFIXES: Readonly<Record<string, string>> = { [DAV_NAMESPACE]: 'D', [APACHE_NAMESPACE]: 'A' };

function element({ namespace, name }: PropertyName, value: string): string {
  const prefix = Object.hasOwn(PREFIXES, namespace) ? PREFIXES[namespace] : undefined;
  const tag = prefix === undefined ? name : `${prefix}:${name}`;
  const declared = prefix === undefined ? ` xmlns="${escapeXml(namespace)}"` : '';
  return value === '' ? `<${tag}${declared}/>` : `<${tag}${declared}>${value}</${tag}>`;
}
