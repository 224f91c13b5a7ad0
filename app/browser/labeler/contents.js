// The samples of the queue and the history, made ready before they are needed.

const CONTENTS_KEPT = 150;
const ASKED_AGAIN_MS = 2000; // for what could not be shown: the disk it lies on may be back

// Pixels of the screen that the stage has for a sample, the longer side.
const sideOf = (stage) => Math.ceil(Math.max(stage.clientWidth, stage.clientHeight) * window.devicePixelRatio);

function openContents(changed) {
  const held = new Map(); // sample id -> content, see content/content.js

  const failedAt = new Map(); // sample id -> when it was asked for the last time

  const take = (sampleId, sent) => {
    const isFailed = held.get(sampleId)?.state === "failed";
    if (!sent || (held.has(sampleId) && !isFailed)) return;
    const content = openContent(sent, changed, "the sample to label");
    failedAt.set(sampleId, performance.now());
    if (isFailed && content.state === "failed") return; // as before
    held.set(sampleId, content);
    if (isFailed) changed();
  };

  const isWanted = ([sampleId, content]) => content.state === "failed" && performance.now() - failedAt.get(sampleId) > ASKED_AGAIN_MS;

  // Those that the server need not send again.
  const ids = () => [...held].filter((entry) => !isWanted(entry)).map(([sampleId]) => sampleId);

  const forget = (needed) => {
    for (const sampleId of held.keys()) {
      if (held.size <= CONTENTS_KEPT) return;
      if (needed.has(sampleId)) continue;
      held.delete(sampleId);
      failedAt.delete(sampleId);
    }
  };

  return { take, forget, get: (sampleId) => held.get(sampleId), ids };
}
