/** The process and the machine as the program finds them; `bin/` and the entry read them once and hand them down. */
import { availableParallelism, hostname, machine, release, type, version } from 'node:os';
import { readSmallText } from './state-files.ts';

/** Sets the umask and returns the one before. Main thread only. */
export function setUmask(mask: number): number {
  return process.umask(mask);
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whose files this process makes; root's on systems without users. */
export function processOwner(): { readonly uid: number; readonly gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

/** Processors that this process may use. */
export function processorCount(): number {
  return availableParallelism();
}

/** What runs here, for reports of faults. */
export interface SystemFacts {
  /** As uname(2): system, host, release, version, machine. */
  readonly uname: readonly string[];
  /** Name, version and code name of a Linux distribution, where they are known; undefined on other systems. */
  readonly distribution: readonly string[] | undefined;
  readonly nodeVersion: string;
  readonly v8Version: string;
}

export function systemFacts(): SystemFacts {
  return {
    uname: [type(), hostname(), release(), version(), machine()],
    distribution: type() === 'Linux' ? distribution() : undefined,
    nodeVersion: process.versions.node,
    v8Version: process.versions.v8,
  };
}

/** Source: os-release(5). */
function distribution(): string[] {
  const text = readSmallText('/etc/os-release') ?? readSmallText('/usr/lib/os-release') ?? '';
  const valueOf = (name: string): string =>
    new RegExp(`^${name}=["']?(.*?)["']?$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return [valueOf('NAME') || 'Unknown Linux', valueOf('VERSION_ID'), valueOf('VERSION_CODENAME')];
}
