/** A thread that goes on with walks, and sends what it finds. Started by walk-thread.ts only. */
import { parentPort, workerData } from 'node:worker_threads';
import { WorkerControl } from '../../pipeline/worker-control.ts';
import { type SharedMemory, takeMessages } from '../../pipeline/worker-thread.ts';
import { closeFile } from '../../platform/open-file.ts';
import { type MatcherDescription, PatternMatcher } from '../patterns/pattern-matcher.ts';
import { Inspector, type InspectorOptions } from './inspector.ts';
import { TreeWalk, type WalkOptions, type WalkState } from './tree-walk.ts';
import { closeDescriptors, WalkEventWriter } from './walk-events.ts';

export interface WalkWorkerStart extends SharedMemory {
  readonly walk: Omit<WalkOptions, 'matcher'>;
  readonly matcher: MatcherDescription;
  readonly inspection: InspectorOptions;
}

/** Messages under way: so far the walk is ahead of the main thread at most. */
const MAX_MESSAGES = 2;

const port = parentPort;
if (port === null) throw new Error('walk-worker is a worker thread');
const start = workerData as WalkWorkerStart;

const control = new WorkerControl(start.control);
const writer = new WalkEventWriter();
const inspector = new Inspector(start.inspection);
const matcher = PatternMatcher.fromDescription(start.matcher);
const walk = new TreeWalk({ ...start.walk, matcher }, inspector, writer);

takeMessages<WalkState>(
  port,
  control,
  (state) => {
    try {
      for (const _ of walk.resume(state)) {
        control.checkStopped();
        if (writer.isDue) send(false);
      }
      send(true);
    } finally {
      // What was not sent.
      closeDescriptors(writer.take(true).message);
    }
  },
  ({ frames }) => frames.forEach(({ fd }) => closeFile(fd)),
);

function send(last: boolean): void {
  control.acquire(1, MAX_MESSAGES);
  const { message, transfer } = writer.take(last);
  port?.postMessage(message, transfer);
}
