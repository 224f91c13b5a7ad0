// The thin line under the sample, in words. The numbers are the server's, plus what is on its way to it.

const CLASSES_ON_LINE = 20;

const counted = (number, rest) => `${number.toLocaleString("en")} ${number === 1 ? "label" : "labels"} ${rest}`;

// What the decisions that are not confirmed yet change: { all, classes: Map(class index -> number) }.
function changesOf(decisions) {
  const changes = { all: 0, classes: new Map() };
  const add = (classIndex, by) => {
    if (!Number.isInteger(classIndex)) return;
    changes.all += by;
    changes.classes.set(classIndex, (changes.classes.get(classIndex) ?? 0) + by);
  };
  for (const { was, now } of decisions) {
    add(was, -1);
    add(now, 1);
  }
  return changes;
}

function roundLine(progress, changes) {
  const parts = [];
  if (progress.round !== null) {
    parts.push(`Round ${progress.round}`, `${Math.min(progress.not_in_model, progress.size)} of ${progress.size}`);
    if (progress.audit) parts.push(`${progress.audit} for the audit`);
  }
  parts.push(counted(progress.labels + changes.all, "in all"), counted(progress.not_in_model, "not yet in the model"));
  if (progress.budget) parts.push(`budget ${progress.budget.toLocaleString("en")}`);
  return parts.join(" · ");
}

function perClassLine(progress, changes, classes) {
  if (progress.labels + changes.all <= 0) return "";
  const count = (each) => (progress.per_class[each.index] ?? 0) + (changes.classes.get(each.index) ?? 0);
  const many = classes.length > CLASSES_ON_LINE;
  const shown = many ? [...classes].sort((a, b) => count(b) - count(a)).slice(0, CLASSES_ON_LINE) : classes;
  return `Labels per class  ${shown.map((each) => `${each.name}: ${count(each)}`).join(" · ")}${many ? " · …" : ""}`;
}

function savedLine({ unsaved, isLost, isStored, isSlow }) {
  if (unsaved === 0) return { text: isLost ? "No answer from the server; trying again" : "All saved", isWarning: isLost };
  const where = isStored ? "kept in this browser" : "kept in this page only: do not close it";
  if (isLost) return { text: `${unsaved} unsaved: no answer from the server; ${where}`, isWarning: true };
  return { text: `${unsaved} unsaved`, isWarning: isSlow || !isStored };
}
